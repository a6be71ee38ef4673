"""Texts of the room Ship."""

from convlens.language import N_

SHIP_TEXTS: dict[str, str] = {
    # What is exported
    "ship_export": N_("Export a classifier"),
    "ship_about": N_(
        "An export is a folder that works without convlens. It appears only after it was compared "
        "with the classifier, image by image."
    ),
    "ship_no_run": N_("There is no classifier yet. Once one is trained, it can leave from here."),
    "ship_run": N_("Classifier"),
    "ship_format": N_("Format"),
    "ship_not_installed": N_("not installed"),
    "format_web": N_("Web page"),
    "format_about_onnx": N_("for most programs, in any language"),
    "format_about_openvino": N_("fast on Intel processors"),
    "format_about_litert": N_("for apps and small boards"),
    "format_about_saved_model": N_("for TensorFlow Serving"),
    "format_about_web": N_("for a browser, on a phone, too"),
    "ship_precision": N_("Precision of the numbers"),
    "precision_float32": N_("as it was trained"),
    "precision_float16": N_("half the size"),
    "precision_int8": N_("a quarter of the size"),
    "ship_any_size": N_("The network takes images of any size and resizes them itself"),
    "ship_begin": N_("Export"),
    "ship_seconds": N_("{n} s"),
    "ship_done": N_("{name} is there, and its proof holds."),
    "ship_failed": N_("{name} was not written."),
    "ship_accept": N_("Accept the loss, and export it all the same"),
    "ship_terminal": N_("At the terminal"),
    # Exports
    "ship_exports": N_("Exports"),
    "ship_holds": N_("proof holds"),
    "ship_fails": N_("proof does not hold"),
    "ship_changed": N_("changed since it was exported"),
    "ship_damaged": N_("damaged"),
    "ship_changed_files": N_("Missing or not as exported: {files}. Export it again."),
    "ship_classes_one": N_("{n} class"),
    "ship_classes_many": N_("{n} classes"),
    "ship_zip": N_("Save as zip ({size})"),
    "ship_remove": N_("Remove"),
    "ship_removed": N_("{name} was removed."),
    "ship_remove_title": N_("Remove {name}?"),
    "ship_remove_about": N_(
        "The folder is deleted. The classifier stays and can be exported again."
    ),
    "ship_files_one": N_("{n} file"),
    "ship_files_many": N_("{n} files"),
    "ship_more_files": N_("and {n} more"),
    "command_verify": N_("Check files and examples again, anywhere"),
    "command_serve": N_("Serve it"),
    "command_predict": N_("Classify images without convlens"),
    "command_page": N_("Show the page on this computer"),
    # The proof
    "ship_proof": N_("Proof"),
    "proof_compared": N_("Compared"),
    "proof_examples_one": N_("{n} example file"),
    "proof_examples_many": N_("{n} example files"),
    "proof_images_one": N_("{n} validation image"),
    "proof_images_many": N_("{n} validation images"),
    "proof_labels": N_("Labels that agree"),
    "proof_agree": N_("{n} of {all}"),
    "proof_largest": N_("Largest difference of a probability"),
    "proof_allowed": N_("of {n} allowed"),
    "proof_cost": N_("Accuracy"),
    "proof_cost_text": N_("{before} in float32, {after} in {precision}"),
    "proof_cost_same": N_("{after} of the classes are the same in {precision}"),
    "proof_size": N_("Network"),
    "proof_size_float32": N_("({size} in float32)"),
    "proof_size_file": N_("(the classifier file has {size})"),
    "proof_time": N_("One image"),
    "proof_time_here": N_("({time} in convlens)"),
    "scale_label": N_("Largest difference {largest}; up to {allowed} is allowed"),
    "scale_label_alone": N_("Largest difference {largest}"),
    "ship_scores": N_("Scores of the run, with 95 % intervals"),
    "ship_scores_float32": N_("They are those of float32; the proof has what {precision} changes."),
    # The server
    "serve_start": N_("Serve"),
    "serve_title": N_("Server"),
    "serve_stop": N_("Stop the server"),
    "serve_busy": N_("{name} is served already; stop it first."),
    "serve_starting": N_("The server is starting; it replays the examples first."),
    "serve_at": N_("It answers programs of this computer at"),
    "serve_answered_one": N_("{n} request answered"),
    "serve_answered_many": N_("{n} requests answered"),
    "serve_refused_one": N_("{n} refused"),
    "serve_refused_many": N_("{n} refused"),
    "serve_curl": N_("Try it: paste this at a terminal"),
    "serve_found": N_("An earlier studio has started it; it was found again."),
    "serve_ends": N_("It ends with the studio. A page that is closed does not stop it."),
    "serve_log": N_("Last lines of its log"),
    # The page for phones
    "phone_start": N_("Show on a phone"),
    "phone_title": N_("Page for phones"),
    "phone_stop": N_("Stop showing it"),
    "phone_who": N_(
        "Everybody in this network can then open the page and copy the classifier with the names "
        "of its classes, until you stop it. Your images and the studio stay closed to them."
    ),
    "phone_http": N_("The phone takes photos with its own camera program. No warning."),
    "phone_https": N_("The phone shows live answers, too. Its browser warns once."),
    "phone_copy": N_(
        "To have it on the phone for good, save the export as zip and copy the folder to any web "
        "space; docs/export.md has the ways."
    ),
    "phone_at": N_("Scan this, or type"),
    "phone_opened_one": N_("opened {n} time"),
    "phone_opened_many": N_("opened {n} times"),
    "phone_alone": N_("This computer is in no network, so that no phone can reach it."),
    "phone_photos": N_("Over http, browsers give no live camera: the phone takes photos."),
    "phone_warns": N_(
        "The certificate was made on this computer. Compare the fingerprint below with that of the "
        "warning; if they are the same, go on, and the live camera works."
    ),
    "fingerprint": N_("Fingerprint of the certificate (SHA-256)"),
    "qr_alt": N_("QR code of {address}"),
    "qr_missing": N_("For a QR code: pip install 'convlens[studio]'"),
    # The workspace as one zip
    "zip_title": N_("The workspace as one zip"),
    "zip_about": N_("Images, the list of corrections, trainings and exports, to go on elsewhere."),
    "zip_left_out": N_("Not included:"),
    "zip_save": N_("Save as zip"),
    "zip_secrets": N_("The token, undo and the trash stay here."),
    "zip_gone": N_("The studio does not answer; nothing was opened."),
    "open_title": N_("Open a zip"),
    "open_about": N_(
        "A workspace that was saved becomes a new folder beside this one. Open only what comes "
        "from people you trust: it can hold networks."
    ),
    "open_choose": N_("Choose a zip"),
    "open_sending": N_("{name} is being unpacked."),
    "open_done": N_("It is in {folder}. This opens it:"),
    "open_command": N_("Command that opens it"),
    "open_source": N_("Its images lie in {source}; copy them there."),
    # A phone as a camera
    "camera_title": N_("A phone as a camera"),
    "camera_live": N_("Live webcam"),
    "camera_live_about": N_("Hold the button, and each moment becomes an image."),
    "camera_photo": N_("Take a photo"),
    "camera_photo_about": N_("The camera program of the system takes one image at a time."),
    "camera_at_work": N_("at work on this page"),
    "camera_not_at_work": N_("not needed here"),
    "camera_not_available": N_("not available here"),
    "camera_local": N_(
        "This page comes from its own computer, so that the webcam works. No phone can reach it."
    ),
    "camera_https": N_("This page comes over https, so that the live webcam works on phones, too."),
    "camera_https_local": N_("This page comes over https, but no phone can reach it."),
    "camera_http": N_("This page comes over http: browsers then allow photos only."),
    "camera_http_here": N_(
        "On this computer the webcam works. On a phone, which comes over http, only photos do."
    ),
    "camera_command": N_("Both ways on a phone: end the studio, and start it with"),
    "invite_show": N_("Show the address for a phone"),
    "invite_alt": N_("the studio with its token"),
    "invite_who": N_("Whoever sees this can use and change the workspace."),
    "invite_hide": N_("Hide it"),
}

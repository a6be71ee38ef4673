"""Codes: every kind of finding, with the texts that a user reads; the words never change."""

from dataclasses import dataclass

from convlens.language import N_

# From the worst. An error makes scores wrong or images unusable; a warning often does; a note is
# worth knowing.
LEVELS = ("error", "warning", "note")
# What a user may do with the images of a finding, see `convlens.data.corrections`.
ACTIONS = ("exclude", "relabel", "group", "look")
ACTION_NAMES = {
    "exclude": N_("leave out"),
    "relabel": N_("correct the label"),
    "group": N_("keep together"),
    "look": N_("look"),
}


@dataclass(frozen=True)
class Code:
    """What is said of all findings of one kind.

    Attributes:
        level: "error", "warning" or "note".
        action: What is proposed: "exclude", "relabel", "group" or "look".
        title: A few words; it stands in front of a number of findings.
        meaning: Why it matters.
        advice: What to do.
    """

    level: str
    action: str
    title: str
    meaning: str
    advice: str


CODES: dict[str, Code] = {
    # Files.
    "unreadable": Code(
        "error",
        "exclude",
        N_("files that cannot be read"),
        N_("The file is damaged, is no image, or cannot be opened. Training skips it."),
        N_("Replace the file by a good copy, or leave it out."),
    ),
    "truncated": Code(
        "error",
        "exclude",
        N_("truncated files"),
        N_("The file ends before its image does, as after an interrupted download."),
        N_("Download or copy the file again, or leave it out."),
    ),
    "empty_file": Code(
        "error",
        "exclude",
        N_("empty files"),
        N_("The file has no content, as after a failed download or on a full disk."),
        N_("Download or copy the file again, or leave it out."),
    ),
    "missing_file": Code(
        "error",
        "exclude",
        N_("files that have vanished"),
        N_("The file was removed while the images were checked, or is a link that leads nowhere."),
        N_("Check again when nothing changes the folder any more."),
    ),
    "changed_file": Code(
        "error",
        "look",
        N_("files that changed while they were read"),
        N_("Another program was writing the file, so it was checked in part only."),
        N_("Check again when nothing writes to the folder any more."),
    ),
    "huge_file": Code(
        "warning",
        "look",
        N_("huge images"),
        N_("The image is far larger than others and slow to decode, or too large to be read."),
        N_("Make sure that the file belongs to the set, and save it at a smaller size."),
    ),
    "wrong_type": Code(
        "warning",
        "look",
        N_("files of another type than their name says"),
        N_("The content is of one format and the suffix of another, so some programs fail on it."),
        N_("Give the file the suffix of its content."),
    ),
    # Copies.
    "exact_copy": Code(
        "warning",
        "exclude",
        N_("exact copies"),
        N_("Several files have the same bytes. The image counts several times in training."),
        N_("Keep one of them."),
    ),
    "same_pixels": Code(
        "warning",
        "exclude",
        N_("images with the same pixels"),
        N_("The files differ, but their decoded pixels do not, as after a change of format."),
        N_("Keep one of them."),
    ),
    "near_duplicate": Code(
        "warning",
        "group",
        N_("near-duplicates"),
        N_("The images show the same photograph at another size, crop, quality or brightness."),
        N_("Keep them in one split (convlens does so when it splits), or keep one of them."),
    ),
    "flipped_copy": Code(
        "note",
        "group",
        N_("mirror images of others"),
        N_("One image is the other one, mirrored."),
        N_("Keep them in one split (convlens does so when it splits), or keep one of them."),
    ),
    "rotated_copy": Code(
        "note",
        "group",
        N_("rotated copies"),
        N_("One image is the other one, turned by 90, 180 or 270 degrees."),
        N_("Keep them in one split (convlens does so when it splits), or keep one of them."),
    ),
    "two_labels": Code(
        "error",
        "relabel",
        N_("one image under two labels"),
        N_("Copies of one image have different labels, so at least one label is wrong."),
        N_("Decide on one label for all of them, or leave them out."),
    ),
    # Leaks across the splits that the source gives.
    "leaked_copy": Code(
        "error",
        "exclude",
        N_("copies across splits"),
        N_("The image is in two splits, so the score is measured on images that were learned."),
        N_("Leave out the image of the training set, or that of the test set."),
    ),
    "leaked_near_duplicate": Code(
        "error",
        "exclude",
        N_("near-duplicates across splits"),
        N_("Nearly the same image is in two splits, which makes the score better than it is."),
        N_("Leave out the image of the training set, or that of the test set."),
    ),
    "leaked_group": Code(
        "error",
        "look",
        N_("groups across splits"),
        N_("Images of one group, such as one person or one object, are in two splits."),
        N_("Split by whole groups."),
    ),
    "leaked_capture": Code(
        "warning",
        "look",
        N_("captures across splits"),
        N_("Photographs that one camera took in the same second are in two splits."),
        N_("Keep all photographs of one moment in one split."),
    ),
    # Odd images.
    "blank": Code(
        "warning",
        "exclude",
        N_("blank images"),
        N_("All pixels have the same value, so there is nothing to learn from."),
        N_("Leave the image out."),
    ),
    "one_colour": Code(
        "warning",
        "look",
        N_("images of nearly one colour"),
        N_("Hardly any pixel differs from the others, as with a covered lens."),
        N_("Look at the image, and leave it out if it shows nothing."),
    ),
    "dark": Code(
        "note",
        "look",
        N_("very dark images"),
        N_("The image is much darker than the others of the set."),
        N_("Look at the image, and leave it out if its class cannot be seen."),
    ),
    "bright": Code(
        "note",
        "look",
        N_("very bright images"),
        N_("The image is much brighter than the others of the set."),
        N_("Look at the image, and leave it out if its class cannot be seen."),
    ),
    "blurred": Code(
        "note",
        "look",
        N_("blurred images"),
        N_("The image has much less detail than the others of the set."),
        N_("Look at the image, and leave it out if its class cannot be seen."),
    ),
    "extreme_shape": Code(
        "note",
        "look",
        N_("images of an extreme shape"),
        N_("The image is many times longer than wide, or wider than long; resizing distorts it."),
        N_("Crop the image, or train with --fit pad."),
    ),
    "placeholder": Code(
        "warning",
        "exclude",
        N_("placeholders instead of images"),
        N_("The file looks like the notice of a web site that an image is not available."),
        N_("Leave the file out, or replace it by the image that it stands for."),
    ),
    "grey_in_colour": Code(
        "note",
        "look",
        N_("grey images among coloured ones"),
        N_("Few images are grey; where they gather in one class, grey tells the class."),
        N_("See that grey images occur in all classes alike, or train with --channels grey."),
    ),
    "unlike_class": Code(
        "note",
        "look",
        N_("images unlike the rest of their class"),
        N_("The image is far from all others of its class, so its label may be wrong."),
        N_("Look at the image and its label."),
    ),
    # Classes.
    "small_class": Code(
        "warning",
        "look",
        N_("classes with few images"),
        N_("The class has too few images to learn it and to measure how well it was learned."),
        N_("Add images, or join the class with another one."),
    ),
    "one_class": Code(
        "warning",
        "look",
        N_("a single class"),
        N_("All images have the same label, so there is nothing that a network could tell apart."),
        N_("Add the images of at least one more class, each class in a folder of its own."),
    ),
    "alike_names": Code(
        "warning",
        "look",
        N_("classes whose names are alike"),
        N_("The names differ only in case or in spaces, so that they may mean the same class."),
        N_("Join the classes, or give them names that differ more."),
    ),
    "unequal_classes": Code(
        "note",
        "look",
        N_("classes of very unequal size"),
        N_("A classifier that always says the largest class is right often. Accuracy says little."),
        N_("Read the balanced accuracy of the report, or add images to the small classes."),
    ),
    "metadata_tells_class": Code(
        "warning",
        "look",
        N_("metadata that tell the class"),
        N_("Size, format or camera give the class away, so a network may learn them instead."),
        N_("Save all images in one way, or collect each class from the same sources."),
    ),
    "patch_tells_class": Code(
        "warning",
        "look",
        N_("patches that tell the class"),
        N_("One place looks the same in many images of one class only, so a network may learn it."),
        N_("Remove the mark, caption, frame or backdrop, or cut it off in all images alike."),
    ),
    # Labels, after a training.
    "wrong_label": Code(
        "warning",
        "relabel",
        N_("labels that are almost surely wrong"),
        N_("Models that never saw the image find another class far more probable."),
        N_("Look at the image, and correct its label."),
    ),
    "doubtful_label": Code(
        "note",
        "look",
        N_("labels worth a look"),
        N_("Models that never saw the image find another class more probable."),
        N_("Look at the image and its label."),
    ),
    "hard_pair": Code(
        "note",
        "look",
        N_("classes that are hard to tell apart"),
        N_("Images of the two classes are taken for each other far more often than others."),
        N_("Look at both classes; add images that show how they differ, or join them."),
    ),
    "worse_slice": Code(
        "warning",
        "look",
        N_("parts of the images with a lower score"),
        N_("The classifier is worse on these images than on the others, beyond chance."),
        N_("Add images of this kind to the training."),
    ),
}

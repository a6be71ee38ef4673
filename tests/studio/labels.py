"""What the tests of the studio compare: the labels of the page, and those of a training."""

from convlens.data.sources import load_data


def labels_of(page) -> dict[str, str]:
    """Return the class of each image that is used, as the page shows it."""
    names = [one["name"] for one in page.state()["classes"]]
    return {name: names[row["label"]] for name, row in page.rows("show=used").items()}


def labels_of_training(page) -> dict[str, str]:
    """Return the class of each image, as `train` takes them with the list."""
    places = page.studio.workspace.places
    source = places.source or str(places.images)
    dataset = load_data(source, for_training=False, using=[places.list])
    return {
        dataset.file_name(index): dataset.class_names[label]
        for index, label in enumerate(dataset.labels)
    }

"""The names of the classes: a thousand, all different, in the order that trained weights answer."""

from importlib import resources

from convlens.zoo.imagenet import imagenet_classes

LANDMARKS = {  # positions that every table of ILSVRC 2012 has
    0: "tench",
    1: "goldfish",
    65: "sea snake",
    134: "crane bird",
    207: "Golden Retriever",
    281: "tabby cat",
    340: "zebra",
    388: "giant panda",
    517: "construction crane",
    652: "military uniform",
    698: "palace",
    812: "space shuttle",
    954: "banana",
    985: "daisy",
    999: "toilet paper",
}


def test_a_thousand_names_all_different():
    names = imagenet_classes()
    assert len(names) == len(set(names)) == len({name.lower() for name in names}) == 1000
    assert all(name == name.strip() and name for name in names)


def test_the_order():
    names = imagenet_classes()
    assert {number: names[number] for number in LANDMARKS} == LANDMARKS


def test_dogs_and_cats_are_where_they_belong():
    names = imagenet_classes()
    assert (names[151], names[268]) == (
        "Chihuahua",
        "Mexican hairless dog (xoloitzcuintli)",
    )  # 118 dogs
    assert (names[150], names[269]) == ("sea lion", "grey wolf")
    assert names[281:286] == (
        "tabby cat",
        "tiger cat",
        "Persian cat",
        "Siamese cat",
        "Egyptian Mau",
    )
    assert (names[280], names[286]) == ("grey fox", "cougar")


def test_the_licence_stands_in_the_file():
    text = (resources.files("convlens.zoo") / "imagenet_classes.txt").read_text(encoding="utf-8")
    assert "Copyright (c) 2021 OpenAI" in text
    assert "Permission is hereby granted, free of charge" in text

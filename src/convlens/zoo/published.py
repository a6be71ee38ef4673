"""Published: the ImageNet accuracy that others report for models of the zoo, with its source.

It is the top-1 accuracy on the 50,000 validation images of ILSVRC-2012, as the authors or the
publishers of the weights state it; none of it was measured here. Most figures are for one centre
crop. For two configurations of VGG only the figures of the paper exist, which are for whole images.
The trainings differ by years of progress in recipes, and not only by architecture. For a model
without a row, no published figure was found.
"""

from dataclasses import dataclass

from convlens.language import N_

__all__ = ["PUBLISHED", "Published"]

ONE_CROP = N_("one centre crop")
WHOLE = N_("whole image")

KERAS = "keras.io/api/applications"
VGG = "Simonyan, Zisserman 2014, arXiv:1409.1556, table 3, scale 256"  # not translated: a source
BN_INCEPTION = "Ioffe, Szegedy 2015, arXiv:1502.03167 (BN-x30)"  # not translated: a source
CAFFE = "github.com/BVLC/caffe, models"  # not translated: a source
FAIR = "github.com/facebookarchive/fb.resnet.torch, pretrained"  # not translated: a source
SLIM = "github.com/tensorflow/models, research/slim"  # not translated: a source
LITE = "github.com/tensorflow/tpu, models/official/efficientnet/lite"  # not translated: a source
TORCHVISION = "torchvision.models 0.29, weights IMAGENET1K_V1"  # not translated: a source


@dataclass(frozen=True)
class Published:
    """A published accuracy.

    Attributes:
        top_1: The share of the validation images that are classified correctly.
        evaluated: ONE_CROP for one centre crop, or WHOLE for the whole image, over which the
            network was moved. It is translated where it is shown.
        source: Where the figure was published.
    """

    top_1: float
    evaluated: str
    source: str


PUBLISHED = {
    name: Published(round(percent / 100, 5), evaluated, source)
    for name, percent, evaluated, source in (
        ("alexnet_2towers", 57.1, ONE_CROP, f"{CAFFE}/bvlc_alexnet"),
        ("nin_imagenet", 59.36, ONE_CROP, "gist.github.com/mavenlin/d802a5849de39225bcc6 (Lin)"),
        ("vgg11", 69.02, ONE_CROP, TORCHVISION),
        ("vgg11_lrn", 70.3, WHOLE, VGG),
        ("vgg13", 69.928, ONE_CROP, TORCHVISION),
        ("vgg16_1x1", 71.9, WHOLE, VGG),
        ("vgg16", 71.3, ONE_CROP, KERAS),
        ("vgg19", 71.3, ONE_CROP, KERAS),
        ("googlenet", 68.7, ONE_CROP, f"{CAFFE}/bvlc_googlenet"),
        ("inception_v2", 74.8, ONE_CROP, BN_INCEPTION),
        ("inception_v3", 77.9, ONE_CROP, KERAS),
        ("inception_v4", 80.2, ONE_CROP, SLIM),
        ("inception_resnet_v2", 80.3, ONE_CROP, KERAS),
        ("xception", 79.0, ONE_CROP, KERAS),
        ("resnet18", 69.57, ONE_CROP, FAIR),
        ("resnet34", 73.27, ONE_CROP, FAIR),
        ("resnet50", 74.9, ONE_CROP, KERAS),
        ("resnet101", 76.4, ONE_CROP, KERAS),
        ("resnet152", 76.6, ONE_CROP, KERAS),
        ("densenet121", 75.0, ONE_CROP, KERAS),
        ("densenet169", 76.2, ONE_CROP, KERAS),
        ("densenet201", 77.3, ONE_CROP, KERAS),
        ("mobilenet_v3_small", 68.1, ONE_CROP, f"{KERAS}/mobilenet"),
        ("mobilenet_v3_large", 75.6, ONE_CROP, f"{KERAS}/mobilenet"),
        ("efficientnet_lite0", 75.1, ONE_CROP, LITE),
        ("efficientnet_lite1", 76.7, ONE_CROP, LITE),
        ("efficientnet_lite2", 77.6, ONE_CROP, LITE),
        ("efficientnet_v2_b0", 78.7, ONE_CROP, KERAS),
        ("convnext_tiny", 81.3, ONE_CROP, KERAS),
    )
}

"""Classics: the table of the networks of keras.applications, with their papers and weights.

Parameters are those of Keras, moving statistics of the normalisations included. Torchvision 0.29
has the same numbers unless the text of the family says otherwise. The names, folders and hashes of
the weight files are those of keras.applications in Keras 3.15.
"""

from typing import NamedTuple

from convlens.language import N_
from convlens.zoo.registry import WeightsFile


class Family(NamedTuple):
    """The networks of a paper.

    Attributes:
        year: The year of the paper.
        mode: A key of `convlens.zoo.applications.SCALINGS`.
        side: The side of its images, in pixels.
        doc: The docstring of their builders, after its first line.
    """

    year: int
    mode: str
    side: int
    doc: str


class Files(NamedTuple):
    """The files of a network's weights.

    Attributes:
        folder: Their folder.
        whole: The MD5 or SHA-256 of the file of the whole network.
        body: The same for the file of the network without its head.
        stem: What the names of the files begin with, if it is not the usual.
        end: What the name of the file without the head ends with.
        head: The number of layers with weights in the head.
    """

    folder: str
    whole: str
    body: str
    stem: str = "{name}_weights_tf_dim_ordering_tf_kernels"
    end: str = "_notop.h5"
    head: int = 1

    def named(self, name: str) -> tuple[WeightsFile, WeightsFile]:
        """Return the files of the network of that name: the whole one, and the one without head."""
        path = f"{self.folder}/{self.stem.format(name=name)}"
        return WeightsFile(f"{path}.h5", self.whole), WeightsFile(path + self.end, self.body)


class Application(NamedTuple):
    """A network of keras.applications.

    Attributes:
        builder: Its name there.
        family: A key of FAMILIES.
        num_params: The number of parameters with 1000 classes.
        multiply_adds: The multiply-adds on one image of the family's size.
        least_side: The side of the smallest square image that it can take, in pixels.
        summary: One line about it.
        files: The files of its weights.
    """

    builder: str
    family: str
    num_params: int
    multiply_adds: int
    least_side: int
    summary: str
    files: Files


FAMILIES = {
    "vgg": Family(2014, "caffe", 224, doc="""
Paper         Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
              Recognition", 2014, arXiv:1409.1556, table 1
Contribution  Depth comes from one simple building block: 3x3 convolutions are stacked until they
              see as much as a large kernel does.
Strengths     It is easy to read and to explain layer by layer. Its features serve well for style,
              texture and transfer.
Weaknesses    Nearly nine tenths of the weights are in three dense layers. It is slow, and hard to
              train from scratch.
Use it        to teach, to explain images, or to repeat older work.
Avoid it      where size or speed matters: resnet50 has a fifth of the weights and classifies
              better.
Departures    Keras leaves out the dropout of 0.5 after the first two dense layers.
"""),
    "inception_v3": Family(2015, "tf", 299, doc="""
Paper         Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception Architecture for
              Computer Vision", 2015, arXiv:1512.00567
Contribution  Large kernels are split into small ones and into 1xn and nx1 ones. Label smoothing.
Strengths     It is accurate for its multiply-adds. Every block looks at several scales.
Weaknesses    Many widths were set by hand, which makes it hard to change.
Use it        for photographs of about 299 pixels.
Avoid it      for small images, or when the architecture itself is to be varied.
Parameters    The normalisations have an offset but no factor: 23,817,352 parameters are trainable,
              23,834,568 in torchvision.
Departures    Keras leaves out the auxiliary head.
"""),
    "inception_resnet_v2": Family(2016, "tf", 299, doc="""
Paper         Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the Impact of
              Residual Connections on Learning", 2016, arXiv:1602.07261
Contribution  Inception blocks are residuals. They are scaled down before they are added, so that
              wide ones train stably.
Strengths     It needs fewer epochs than an Inception network without shortcuts, and is the most
              accurate of the older classics.
Weaknesses    Its graph is the deepest of all classics: it is slow to build, to save and to run on a
              CPU.
Use it        when accuracy on photographs matters more than time.
Avoid it      on a CPU, on small images, or for a first try.
Departures    Keras has the network of the authors' published code: its stem is like that of
              Inception v3, and it has 10, 20 and 10 blocks where figure 15 of the paper has 5, 10
              and 5.
"""),
    "xception": Family(2016, "tf", 299, doc="""
Paper         Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2016,
              arXiv:1610.02357
Contribution  It takes Inception to its limit: nearly every convolution is a depthwise and a 1x1
              one, with shortcuts around them.
Strengths     It is more accurate than Inception v3 with no more weights, and much simpler to
              describe.
Weaknesses    Depthwise convolutions do little work for the memory that they move, so that it is
              slower than its multiply-adds suggest.
Use it        to learn what separable convolutions do, or for photographs of about 299 pixels.
Avoid it      where every second counts: mobilenet_v3_large builds on the same idea.
Departures    None known.
"""),
    "resnet": Family(2015, "caffe", 224, doc="""
Paper         He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015,
              arXiv:1512.03385, table 1
Contribution  Shortcuts: a block learns what to add to its input, so that a hundred layers and more
              can be trained.
Strengths     It is the standard that others are compared with. It works with most settings, is good
              to fine-tune, and easy to explain.
Weaknesses    It is large for its accuracy by today's standards. The 1x1 convolutions that halve the
              map see one value in four.
Use it        as the first large network to try, and whenever results should be comparable.
Avoid it      on small devices, or for a few thousand images without trained weights.
Parameters    Keras gives every convolution a bias, although a normalisation follows. Torchvision
              gives none; it has 25,557,032, 44,549,160 and 60,192,808 parameters without the moving
              statistics.
Departures    None known. A block halves the map in its first 1x1 convolution, torchvision's block
              in its 3x3 one.
"""),
    "densenet": Family(2016, "torch", 224, doc="""
Paper         Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks",
              2016, arXiv:1608.06993, table 1
Contribution  A layer sees the feature maps of all layers before it in its block, so that a few new
              filters per layer are enough.
Strengths     It has few weights for its accuracy. Gradients reach every layer.
Weaknesses    Concatenating maps again and again costs memory and time, more than the number of
              weights suggests.
Use it        when the file must be small, or when there are few images.
Avoid it      when memory or training time is short.
Parameters    Torchvision counts the trainable ones: 7,978,856, 14,149,480 and 20,013,928.
Departures    None known.
"""),
    "mobilenet_v3": Family(2019, "tf", 224, doc="""
Paper         Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244, tables 1 and 2
Contribution  A search found its widths for mobile phones. It uses hard swish, and
              squeeze-and-excitation where that costs little.
Strengths     It has the fewest multiply-adds of all classics.
Weaknesses    It is less accurate than the larger classics, and harder to train from scratch than a
              ResNet.
Use it        for video, on a mobile phone, or on any CPU.
Avoid it      when accuracy is all that matters.
Parameters    Torchvision counts the trainable ones: 2,542,856 and 5,483,032.
Departures    None known.
"""),
    "efficientnet_v2": Family(2021, "torch", 224, doc="""
Paper         Tan, Le, "EfficientNetV2: Smaller Models and Faster Training", 2021, arXiv:2104.00298
Contribution  The search for the architecture counts training time. Early blocks have full
              convolutions in place of depthwise ones.
Strengths     It is accurate for its weights and for its time.
Weaknesses    It mixes several kinds of blocks, which makes it harder to explain than a ResNet.
Use it        to fine-tune on your own photographs.
Avoid it      to teach the basics, or to compare with older results.
Parameters    Torchvision has only the larger variants.
Departures    None known.
"""),
    "convnext": Family(2022, "torch", 224, doc="""
Paper         Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s", 2022,
              arXiv:2201.03545
Contribution  It modernises a ResNet with what vision transformers had taught: 7x7 depthwise
              convolutions, layer normalisation, and fewer activations.
Strengths     It is as accurate as transformers of its size, and uses nothing but convolutions.
Weaknesses    It needs a modern recipe: its blocks begin with factors of 1e-6, so that training from
              scratch starts slowly.
Use it        to fine-tune where accuracy matters and a GPU is available.
Avoid it      to train from scratch on few images.
Departures    Keras has no stochastic depth, where the paper has 0.1.
"""),
}  # fmt: skip

APPLICATIONS = {
    "vgg16": Application(
        "VGG16", "vgg", 138_357_544, 15_470_264_320, 32,
        N_("VGG D: 13 convolutions of 3x3 and three dense layers."),
        Files("vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc",
              head=3),
    ),
    "vgg19": Application(
        "VGG19", "vgg", 143_667_240, 19_632_062_464, 32,
        N_("VGG E: 16 convolutions of 3x3 and three dense layers."),
        Files("vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6",
              head=3),
    ),
    "inception_v3": Application(
        "InceptionV3", "inception_v3", 23_851_784, 5_713_216_096, 75,
        N_("Inception v3: eleven blocks that look at several scales."),
        Files("inception_v3", "9a0d58056eeedaa3f26cb7ebd46da564",
              "bcbd6486424b2319ff4ef7d526e38f63"),
    ),
    "inception_resnet_v2": Application(
        "InceptionResNetV2", "inception_resnet_v2", 55_873_736, 13_155_794_016, 75,
        N_("Inception-ResNet v2: forty Inception blocks with shortcuts."),
        Files("inception_resnet_v2", "e693bd0210a403b3192acc6073ad2e96",
              "d19885ff4a710c122648d3b5c3b684e4"),
    ),
    "xception": Application(
        "Xception", "xception", 22_910_480, 8_357_403_496, 7,
        N_("Xception: 36 convolutions, 34 of them depthwise separable, with shortcuts."),
        Files("xception", "0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
    ),
    "resnet50": Application(
        "ResNet50", "resnet", 25_636_712, 3_857_973_248, 1,
        N_("ResNet of 50 layers, 16 blocks."),
        Files("resnet", "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    ),
    "resnet101": Application(
        "ResNet101", "resnet", 44_707_176, 7_570_194_432, 1,
        N_("ResNet of 101 layers, 33 blocks."),
        Files("resnet", "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    ),
    "resnet152": Application(
        "ResNet152", "resnet", 60_419_944, 11_282_415_616, 1,
        N_("ResNet of 152 layers, 50 blocks."),
        Files("resnet", "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    ),
    "densenet121": Application(
        "DenseNet121", "densenet", 8_062_504, 2_834_161_664, 29,
        N_("DenseNet of 121 layers."),
        Files("densenet", "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    ),
    "densenet169": Application(
        "DenseNet169", "densenet", 14_307_880, 3_359_843_328, 29,
        N_("DenseNet of 169 layers."),
        Files("densenet", "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    ),
    "densenet201": Application(
        "DenseNet201", "densenet", 20_242_984, 4_291_365_888, 29,
        N_("DenseNet of 201 layers."),
        Files("densenet", "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
    ),
    "mobilenet_v3_small": Application(
        "MobileNetV3Small", "mobilenet_v3", 2_554_968, 56_510_400, 32,
        N_("MobileNetV3 small: eleven blocks, widths found by a search."),
        Files("mobilenet_v3", "8768d4c2e7dee89b9d02b2d03d65d862",
              "d3e8ec802a04aa4fc771ee12a9a9b836", "weights_mobilenet_v3_small_224_1.0_float",
              "_no_top_v2.h5", head=2),
    ),
    "mobilenet_v3_large": Application(
        "MobileNetV3Large", "mobilenet_v3", 5_507_432, 216_589_760, 32,
        N_("MobileNetV3 large: fifteen blocks, widths found by a search."),
        Files("mobilenet_v3", "59e551e166be033d707958cf9e29a6a7",
              "07fb09a5933dd0c8eaafa16978110389", "weights_mobilenet_v3_large_224_1.0_float",
              "_no_top_v2.h5", head=2),
    ),
    "efficientnet_v2_b0": Application(
        "EfficientNetV2B0", "efficientnet_v2", 7_200_312, 718_086_176, 1,
        N_("EfficientNetV2 B0: the smallest, quick to train."),
        Files("efficientnet_v2", "21ecbf6da12460d5c40bb2f29ceb2188",
              "893217f2bb855e2983157299931e43ff", "efficientnetv2-b0"),
    ),
    "convnext_tiny": Application(
        "ConvNeXtTiny", "convnext", 28_589_128, 4_457_676_288, 32,
        N_("ConvNeXt tiny: a ResNet rebuilt with what transformers taught."),
        Files("convnext", "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
              "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1", "convnext_tiny"),
    ),
}  # fmt: skip

"""The lessons cover the decks: their topics, steps and results, and the mistakes in them."""

import ast
import re

import pytest

from tests.lessons.cells import DECKS, LESSONS, code, headings, texts

# What the decks explain in words -> a part of the heading of a section, in some lesson.
TOPICS = {
    "recognition as four stages": "四個階段",
    "an X shifted, scaled, skewed, thickened": "平移、縮放、歪斜、加粗",
    "convolution": "卷積運算",
    "max pooling": "最大池化",
    "when a CNN fits and when not": "何時適合用 CNN",
    "from low features to high ones": "低階特徵",
    "three kinds of layers": "三種層",
    "sizes of LeNet": "LeNet 的尺寸",
    "losses": "損失函數",
    "a step too small or too large": "步長太小與太大",
    "MLP against CNN": "MLP 對 CNN",
    "the list of hyper-parameters": "超參數清單",
    "why training and test accuracy part": "訓練與測試準確率",
    "sigmoid against ReLU, gradients": "梯度消失",
    "activations": "活化函數",
    "min, average and max pooling": "平均池化",
    "dropout": "丟棄",
    "batch normalisation": "批次正規化",
    "1x1 convolution": "1×1 卷積",
    "global average pooling": "全域平均池化",
    "concatenation and addition": "串接與相加",
    "backpropagation by hand": "反向傳播",
    "the three kinds of gradient descent": "三種梯度下降",
    "the backend": "選後端",
    "the arithmetic of the X": "9×9 的 X",
    "augmentation": "資料增強",
    "the right number of epochs": "幾個回合",
    "LeNet": "LeNet：確立",
    "AlexNet": "AlexNet：",
    "VGG": "VGG：",
    "NiN": "NiN",
    "GoogLeNet": "GoogLeNet",
    "Inception v2 to v4": "Inception v2、v3、v4",
    "Xception, depthwise separable": "深度可分離卷積",
    "ResNet": "ResNet",
    "DenseNet": "DenseNet",
    "accuracy against operations": "準確率對運算量",
    "homework": "作業",
    "logistic regression": "邏輯迴歸",
    "six kinds of transfer": "六種遷移學習",
    "which layers to freeze for images and for sound": "凍結哪些層",
    "three closing rules": "三條原則",
    "a heat map says where, and not what": "說的是哪裡，不是什麼",
}

# What a user of the decks does -> lesson, and what its code has.
STEPS = {
    "look at shapes": ("001", r"x_train\.shape"),
    "look at images": ("001", r"show_images\(x_train"),
    "reshape": ("001", r"\.reshape\(-1, 28, 28, 1\)"),
    "scale to 0..1": ("001", r"/ 255"),
    "one-hot": ("001", r"to_categorical"),
    "layer table": ("001", r"\.summary\("),
    "train with a validation share": ("001", r"validation_split=0\.2"),
    "watch each epoch": ("001", r"verbose=2"),
    "plot accuracy and loss": ("001", r"show_metrics\("),
    "evaluate": ("001", r"\.evaluate\("),
    "predict": ("001", r"\.predict\(.*\)"),
    "first images with label and prediction": ("001", r"show_images\(\s*x_test.*probabilities="),
    "confusion matrix": ("001", r"show_confusion\("),
    "sparse labels": ("002", r"sparse_categorical_crossentropy"),
    "one's own photograph": ("002", r"Image\.open\(.*resize\("),
    "augment": ("004", r"flip=True"),
    "red where wrong, first images of CIFAR-10": (
        "000",
        r"show_images\(\s*color_test.*probabilities=",
    ),
    "a digit of one's own": ("000", r"Image\.open\(own\)"),
    "labels from file names": ("003", r"\.name\.split\("),
    "TensorBoard": ("004", r"tensorboard=True"),
    "search hyper-parameters": ("004", r"search\("),
    "save and load instead of training": ("000|003|004", r"load_model\("),
    "freeze layers by name": ("004", r"trainable = "),
    "explain an answer": ("005", r"\.explain\("),
    "audit images": ("005", r"audit_data\("),
}

# Parameters of each program -> the lesson that asserts them.
COUNTS = {
    "1_676_266": "000", "2_168_362": "000", "242_062": "001", "64_158": "001", "101_770": "002",
    "235_146": "002", "1_199_882": "002", "35_754": "003", "4_288_577": "004", "155_606": "004",
    "62_378_344": "004", "2_015_398": "004", "1_992_166": "004", "403_424": "004", "122_064": "004",
    "27_560_769": "004", "19_925_505": "004", "93_248": "004", "14_714_688": "004",
}  # fmt: skip

# Results of the decks -> the lesson that puts ours beside them.
RESULTS = {
    "0.996": "000", "0.783": "000", "0.9912": "001", "0.8737": "002", "0.9909": "002",
    "0.9818": "002", "0.9838": "003", "0.8030": "004", "0.95": "004",
}  # fmt: skip

# What the decks get wrong -> the lesson, and words of the paragraph that says so.
ERRATA = {
    "a convolution adds up, no mean": ("000", "Keras"),
    "100 epochs in the code, 20 in the log": ("000", "100"),
    "ylabel twice": ("000", "`plt.ylabel`"),
    "who built the first convolutional networks": ("000", "Neocognitron"),
    "who made MNIST": ("000", "Corinna Cortes"),
    "the shape after its reshape": ("000", "(60000, 28, 28, 1)"),
    "channels are called colour depth": ("000", "顏色深度"),
    "feature maps are no two-dimensional data": ("000", "(7, 7, 64)"),
    "back to SGD over code with Adam": ("000", "SGD"),
    "one-hot vectors printed as the real answer": ("000", "real answer"),
    "who made CIFAR-10": ("000", "Vinod Nair"),
    "the printed table is another network's": ("001", "64,158"),
    "sizes stay with padding same only": ("001", "`valid`"),
    "the validation curve is called test": ("001", "validation curve"),
    "every validation loss falls": ("001", "0.0443"),
    "rows of the crosstab are called columns": ("001", "crosstab"),
    "nine of the ten classes of CIFAR-10": ("001", "horse"),
    "32*(24*24)+64": ("002", "32*(24*24)+64"),
    "12*12*24": ("002", "12*12*24"),
    "60000 times ten thousand": ("002", "60000萬"),
    "a prediction is called the correct answer": ("002", "標準答案"),
    "width before height": ("002", "圖寬"),
    "Wiesel misspelt": ("002", "Weisel"),
    "two pooling layers called S1": ("002", "S1"),
    "output neurons named as the hidden ones": ("003", "h1"),
    "factors that were cut": ("003", "0.593269992"),
    "the chain rule the wrong way round": ("003", "∂E/∂o1"),
    "the test set is called training set": ("003", "「訓練集」"),
    "the test images are not reshaped": ("003", "`X_test`"),
    "a seed that the shuffle does not use": ("003", "random.shuffle"),
    "the initial weights set again": ("003", "Step 1"),
    "ninths cut off, misprints": ("004", ".77"),
    "maps are no probabilities": ("004", "ReLU"),
    "Inception-ResNet is not Inception-v4": ("004", "v4"),
    "a shear of 0.2 degrees": ("004", "shear_range"),
    "a photograph that is not divided by 255": ("004", "255"),
    "predictions of a reshuffled set": ("004", "predict(test_set)"),
    "augmented validation images": ("004", "驗證"),
    "VGG16 wants BGR minus the mean": ("004", "BGR"),
    "93,221 parameters": ("004", "93,248"),
    "an X that is scaled, skewed or thickened": ("004", "skewed or thickened"),
    "pooling loses features": ("004", "without losing features"),
    "LeNet was not the earliest": ("004", "neocognitron"),
    "AlexNet did not introduce dropout": ("004", "1207.0580"),
    "a convolution adds up all channels": ("004", "3×3×RGB"),
    "branches side by side save no parameters": ("004", "403,424"),
    "batch normalisation has gamma and beta": ("004", "gamma"),
    "Xception needs more multiply-adds": ("004", "46 %"),
    "ResNet is about degradation": ("004", "degradation"),
    "a transition halves by its pooling": ("004", "transition layer"),
}
PLATEAU = ("004", "lenet_sigmoid")  # no mistake: the lesson of vanishing gradients, to be kept


def test_there_are_six_lessons():
    assert list(LESSONS) == [*DECKS, "005"]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_is_a_heading(topic):
    assert [
        heading for number in LESSONS for heading in headings(number) if TOPICS[topic] in heading
    ]


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_in_a_cell(step):
    numbers, pattern = STEPS[step]
    assert any(
        re.search(pattern, code(number), re.DOTALL)
        for number in numbers.split("|")
        if number in LESSONS
    )


@pytest.mark.parametrize("count", COUNTS)
def test_parameters_are_asserted(count):
    asserted = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(code(COUNTS[count])))
        if isinstance(node, ast.Assert)
    ]
    assert any(str(int(count.replace("_", ""))) in line for line in asserted)


@pytest.mark.parametrize("result", RESULTS)
def test_the_decks_results_stand_beside_ours(result):
    assert re.search(rf"deck={re.escape(result)}\d?\b", code(RESULTS[result]))


@pytest.mark.parametrize("mistake", ERRATA)
def test_every_mistake_is_named_in_both_languages(mistake):
    number, words = ERRATA[mistake]
    paragraphs = "\n\n".join(texts(number)).split("\n\n")
    named = [text for text in paragraphs if re.match(r"勘誤|Erratum", text)]
    assert any(words in text for text in named)
    assert len([text for text in named if text.startswith("勘誤")]) == len(named) / 2


def test_the_plateau_of_sigmoids_is_kept():
    number, model = PLATEAU
    assert model in code(number)

# %% [markdown]
# # 004 貓狗、經典模型、遷移學習 · Cats and dogs, classic models, transfer learning
#
# 第 004 份講義最長：先用一個 9×9 的 X 把卷積網路手算一遍，再訓練一個分辨貓狗的網路，
# 然後從 LeNet 一路走到 DenseNet，最後借別人訓練好的 VGG16 來用。這一課照同樣的順序走。
#
# Deck 004 is the longest: it computes a convolutional network by hand on an X of 9×9, trains a
# network that tells cats from dogs, goes through the models from LeNet to DenseNet, and finally
# uses a VGG16 that others have trained. This lesson follows the same order.

# %%
import math
import time
from fractions import Fraction

import numpy as np
from PIL import Image

import convlens
from convlens import arithmetic, metrics, plots, published, stacks, views

lesson = convlens.Lesson("004")

import keras
from keras import layers

keras.utils.set_random_seed(4)

# %% [markdown]
# ## 9×9 的 X：卷積 · The X of 9×9: convolution
#
# 講義用 1 和 -1 畫 X，三個 3×3 濾鏡（左斜、叉、右斜），每格的值是九個乘積的平均：
# 1 表示完全符合，-1 表示完全相反。左斜濾鏡的特徵圖，第二列第二欄是 1：那裡有一條完整的左斜線。
#
# The deck draws its X with 1 and -1 and uses three 3×3 filters: left diagonal, cross and right
# diagonal. Each cell is the mean of nine products: 1 is a perfect match, and -1 is the exact
# opposite. The feature map of the left diagonal has a 1 in its second row and second column, where
# there is a complete left diagonal.
#
# 勘誤：講義把 7/9 寫成 .77、5/9 寫成 .55，那是捨去而不是四捨五入；表裡還有幾個印錯的數字。下面用分數核對。
# 另外，真正的卷積層只加總，不除以 9。
#
# Erratum: the deck shows 7/9 as .77 and 5/9 as .55, which are truncated and not rounded, and a few
# numbers of its tables are misprints. Below, they are checked in fractions. And a real convolution
# only adds up; it does not divide by 9.

# %%
NAMES = ("left-diagonal", "cross", "right-diagonal")
x9 = convlens.get_image("x9")
kernel = np.stack([convlens.get_filter(name)[..., 0] for name in NAMES], axis=-1)[:, :, None, :]
maps = arithmetic.convolve(x9, kernel, mean=True)
half = [
    [7, -1, 1, 3, 5, -1, 3],
    [-1, 9, -1, 3, -1, 1, -1],
    [1, -1, 9, -3, 1, -1, 5],
    [3, 3, -3, 5, -3, 3, 3],
]
ninths = np.array(half + [row[::-1] for row in half[2::-1]])
assert (maps.output[..., 0] == [[Fraction(int(value), 9) for value in row] for row in ninths]).all()
assert (maps.output[..., 2] == maps.output[:, ::-1, 0]).all()  # the right diagonal is its mirror
print("the left diagonal's map, in ninths:", ninths.tolist(), sep="\n")
lesson.show(views.convolution_page(maps, list(NAMES), at=(1, 1)), "x9_convolution")

# %% [markdown]
# ## ReLU、池化、展平 · ReLU, pooling, flatten
#
# 勘誤：講義說 ReLU 是因為「機率不能是負的」。特徵圖的值不是機率，是相似程度；ReLU 只留下「有這個樣式」，
# 丟掉「和它相反」，並且讓層與層之間不再只是線性的。
#
# Erratum: the deck says that ReLU is there because a probability cannot be negative. The values of
# a feature map are not probabilities, but similarities; ReLU keeps "the pattern is here" and drops
# "its opposite is here", and it makes several layers more than one linear map.
#
# 7×7 池化成 4×4（最後一列、欄的窗框只有一半，講義保留它），再池化成 2×2，三張圖排成 12 個數。
#
# The 7×7 map is pooled to 4×4, where the deck keeps the windows that reach beyond the edge, and
# then to 2×2; the three maps in a row are 12 numbers.

# %%
rectified = arithmetic.activate(maps.output, "relu").output
once = arithmetic.pool(rectified, 2, padding="partial").output
twice = arithmetic.pool(once, 2, padding="partial").output
row_of_numbers = arithmetic.flatten(np.moveaxis(twice, -1, 0))


def cut(values):
    """Return numbers as the deck prints them: two digits, the rest cut off."""
    return (
        np.array([math.floor(100 * value) / 100 for value in np.ravel(values)])
        .reshape(np.shape(values))
        .tolist()
    )


assert cut(once[..., 0]) == [
    [1, 0.33, 0.55, 0.33],
    [0.33, 1, 0.33, 0.55],
    [0.55, 0.33, 1, 0.11],
    [0.33, 0.55, 0.11, 0.77],
]
assert cut(once[..., 1]) == [
    [0.55, 0.33, 0.55, 0.33],
    [0.33, 1, 0.55, 0.11],
    [0.55, 0.55, 0.55, 0.11],
    [0.33, 0.11, 0.11, 0.33],
]
assert cut(once[..., 2]) == [
    [0.33, 0.55, 1, 0.77],
    [0.55, 0.55, 1, 0.33],
    [1, 1, 0.11, 0.55],
    [0.77, 0.33, 0.55, 0.33],
]
assert cut(row_of_numbers) == [1, 0.55, 0.55, 1, 1, 0.55, 0.55, 0.55, 0.55, 1, 1, 0.55]
print("12 numbers:", " ".join(str(value) for value in row_of_numbers))
lesson.show(
    views.recognition_page(x9, [(name, convlens.get_filter(name)[..., 0]) for name in NAMES]),
    "x9_recognition",
)

# %% [markdown]
# ## 最大、平均、最小池化 · Max, average and min pooling
#
# 同樣 4×4 的圖，三種池化留下的東西不一樣：最大的留住突出的，平均的把它沖淡，最小的留住底色。
#
# The three kinds of pooling keep different things of the same 4×4 image: max pooling keeps what
# stands out, average pooling dilutes it, and min pooling keeps the background.

# %%
four = convlens.get_image("pool-004")
for kind in ("max", "average", "min"):
    print(f"{kind:8}", arithmetic.pool(four, 2, kind=kind).output[..., 0].astype(float).tolist())
assert arithmetic.pool(four, 2).output[..., 0].tolist() == [[7, 9], [8, 4]]
lesson.show(views.pooling_page(arithmetic.pool(four, 2, kind="average"), at=(0, 1)), "pooling")

# %% [markdown]
# ## 全連接層回答：.91 與 .09 · A dense layer answers: .91 and .09
#
# 講義接著讓全連接層回答「X .91、O .09」，但沒有給權重。所以我們訓練：拿 X 與 O 各 12 個數，
# 從 0 開始一步一步走，到 X 的機率不小於 .91 為止。
#
# In the deck, a dense layer then gives "X .91, O .09", but the deck does not give its weights. So
# we train them on the 12 numbers of the X and those of an O, from zeros, step by step, until the
# probability of the X is at least .91.

# %%
distance = np.hypot(*(np.indices((9, 9)) - 4))
o9 = np.where(np.abs(distance - 3) < 0.6, 1, -1)[..., None]


def twelve_numbers(image):
    found = arithmetic.activate(arithmetic.convolve(image, kernel, mean=True).output, "relu").output
    for _ in range(2):
        found = arithmetic.pool(found, 2, padding="partial").output
    return arithmetic.flatten(np.moveaxis(found, -1, 0)).astype(float)


given = np.stack([twelve_numbers(x9), twelve_numbers(o9)])
weights, steps = np.zeros((12, 2)), 0


def two_probabilities():
    return np.stack([arithmetic.dense(row, weights, activation="softmax").output for row in given])


while (answers := two_probabilities())[0, 0] < 0.91:
    weights -= 0.5 * given.T @ (answers - np.eye(2)) / 2
    steps += 1
print(f"after {steps} steps: the X gets {answers[0].round(3)}, the O {answers[1].round(3)} (X, O)")
opened = arithmetic.dense(given[0], weights, activation="softmax")
for unit, name in enumerate("XO"):
    terms = " ".join(f"{product:+.3f}" for product in opened.products[:, unit])
    print(f"{name}: {terms} = {opened.sums[unit]:+.3f} -> {opened.output[unit]:.3f}")
letters = [np.uint8(127.5 * (one[..., 0].astype(float) + 1)) for one in (x9, o9)]
lesson.show(plots.show_images(letters, [0, 1], class_names=["X", "O"], columns=2), "x_and_o")

# %% [markdown]
# 適不適合用 CNN、超參數有哪些，在第 001、002 課。
#
# Lessons 001 and 002 explain when a CNN is suitable and which hyper-parameters there are.

# %% [markdown]
# ## 貓與狗：載入資料 · Cats and dogs: load the photographs
#
# 每個類別一個資料夾，照片大小不一。要先縮成一樣大（64×64），像素再除以 255。
# 講義連結的檔案有 2,000 張訓練、1,000 張測試，它印出來的紀錄卻是 8,000 與 2,000；所以結果不能完全相比。
#
# There is a folder for each class, and the photographs have different sizes: they are first resized
# to 64×64, and then divided by 255. The file that the deck links has 2,000 training images and
# 1,000 test images, while its printed log counts 8,000 and 2,000, so the results can be compared
# only roughly.

# %%
side = 32 if lesson.quick else 64
photographs = lesson.data("cats_dogs")
(x_train, y_train), (x_test, y_test) = lesson.arrays("cats_dogs", size=side, channels="rgb")
if lesson.quick:
    x_test, y_test = x_test[::2], y_test[::2]
print(
    "classes:",
    ", ".join(photographs.class_names),
    " x_train",
    x_train.shape,
    " x_test",
    x_test.shape,
)
print(
    "of each class:",
    np.bincount(y_train).tolist(),
    "to train,",
    np.bincount(y_test).tolist(),
    "to test",
)
mixed = np.random.default_rng(4).permutation(len(x_train))[:16]
lesson.show(
    plots.show_images(x_train[mixed], y_train[mixed], class_names=photographs.class_names),
    "photographs",
)

# %% [markdown]
# ## 資料增強 · Augmentation
#
# 剪切 10 度、縮放 0.2、左右翻轉：每個回合看到的照片都有點不同。
#
# The photographs are sheared by up to 10 degrees, zoomed by up to 0.2 and mirrored: each of them
# looks a little different in every epoch.
#
# 勘誤：講義的驗證集和訓練集出自同一個生成器，所以驗證的照片也被增強了。驗證是要估計「對真正的照片有多準」，
# 照片就該保持原樣；convlens 只增強訓練的照片。
#
# Erratum: the deck takes its validation images from the same generator as the training images, so
# that they are augmented, too. Validation estimates the accuracy on real photographs, so its images
# must stay as they are; convlens augments only training images.

# %%
config = convlens.Config().replace(
    model="cats_dogs_3conv", size=str(side), channels="rgb", val=0.25, limit=300 if lesson.quick else None,
    augment="none", shear=10.0, zoom=0.2, flip=True,
    optimizer="adam", schedule="constant", epochs=3 if lesson.quick else 25, batch_size=10, tensorboard=True,
)  # fmt: skip
if lesson.stands_in("cats_dogs"):
    config = config.replace(flip=False)  # a digit in the mirror is another sign
changes = convlens.augment.resolve(config.augment, flip_allowed=True)
same = np.repeat(x_train[mixed[:2]], 7, axis=0)
changed = convlens.augment.augment(same, np.arange(14), changes, seed=0, epoch=0)
shown = np.concatenate([x_train[mixed[:1]], changed[:7], x_train[mixed[1:2]], changed[7:]])
lesson.show(plots.show_images(shown, columns=8), "augmented")

# %% [markdown]
# ## 建立模型，數參數 · Build the network, count its parameters
#
# 三組「卷積（32、64、128）、丟棄、池化」，展平成 8,192，512 個神經元，最後一個神經元配 sigmoid：小於 .5 是貓，否則是狗。
#
# There are three groups of "convolution (32, 64, 128), dropout, pooling", a flatten layer with
# 8,192 values, 512 neurons, and one neuron with a sigmoid: below .5 is a cat, otherwise it is a
# dog.
#
# 勘誤：講義說卷積層有 93,221 個參數，正確是 93,248 個（2.17 %）；全連接層佔 97.83 %。
#
# Erratum: the deck counts 93,221 parameters in the convolutions; it is 93,248 (2.17 %). The dense
# layers have 97.83 %.

# %%
network = convlens.create_model("cats_dogs_3conv")
network.summary(line_length=80)
assert network.count_params() == 4_288_577
convolutions = sum(
    layer.count_params() for layer in network.layers if isinstance(layer, layers.Conv2D)
)
assert convolutions == 896 + 18_496 + 73_856 == 93_248
print(
    f"convolutions {convolutions:,} = {convolutions / 4_288_577:.2%}, dense layers {1 - convolutions / 4_288_577:.2%}"
)

# %% [markdown]
# ## 訓練，用 TensorBoard 跟著看 · Train, and follow in TensorBoard
#
# Adam、批次 10、25 個回合、四分之一驗證。`tensorboard=True` 會寫下每個回合的數字、權重的直方圖與計算圖；
# 另開一個終端機，打 `tensorboard --logdir` 加資料夾就能看。
#
# We use Adam, batches of 10, 25 epochs, and a quarter of the images for validation.
# `tensorboard=True` writes the numbers of each epoch, histograms of the weights and the graph. To
# see them, type `tensorboard --logdir` and the folder in another terminal.

# %%
run = convlens.train(photographs, config, run=lesson.place("cats_dogs"))
lesson.compare("cats and dogs, three convolutions", run, data="cats_dogs", deck=0.8030)
written = [path for path in (run.folder / "tensorboard").rglob("*") if path.is_file()]
print(f"tensorboard --logdir {run.folder / 'tensorboard'}   ({len(written)} files)")

# %% [markdown]
# ## 幾個回合才合適 · How many epochs are right
#
# 看驗證的曲線，不是訓練的：訓練的準確率會一直爬，驗證的爬到某處就停了，損失甚至回頭往上。停的地方就是合適的回合數。
#
# Look at the validation curve, not at the training curve: the training accuracy keeps rising, while
# the validation accuracy stops rising somewhere, and its loss may even turn upwards. The right
# number of epochs is where it stops.

# %%
history = run.history
best = max(history, key=lambda row: row["val_accuracy"])
least = min(history, key=lambda row: row["val_loss"])
last = history[-1]
print(
    f"validation accuracy is highest after epoch {best['epoch']:.0f}, its loss lowest after epoch {least['epoch']:.0f}"
)
if best["epoch"] == last["epoch"]:
    print("the last epoch was the best: more epochs may still help; try --epochs with more")
else:
    more, gained = last["accuracy"] - best["accuracy"], last["val_accuracy"] - best["val_accuracy"]
    print(
        f"stopping after epoch {best['epoch']:.0f} would do: later ones gave training {more:+.1%}, validation {gained:+.1%}"
    )
print(f"the loss of validation since its lowest: {last['val_loss'] - least['val_loss']:+.3f}")
print("convlens keeps the best epoch by itself; --patience 5 stops after five without a better one")
lesson.show(plots.show_history(history), "cats_dogs_history")

# %% [markdown]
# ## 預測，圖和答案要對得上 · Predict, with images and answers that belong together
#
# 勘誤：講義先 `predict(test_set)`，再走一遍 `test_set` 取圖；可是這個生成器每走一遍都重新洗牌，
# 所以畫出來的照片配的是別張照片的預測。這裡量一量：順序對的準確率，和洗過牌之後的。
#
# Erratum: the deck calls `predict(test_set)` and then goes through `test_set` again for the images;
# but that generator shuffles anew each time, so the images are shown beside the predictions of
# other images. Here we measure the accuracy in the right order, and after reshuffling.

# %%
classifier = run.classifier()
probabilities = classifier.probabilities(x_test)
predicted = probabilities.argmax(axis=1)
reshuffled = np.random.default_rng(0).permutation(len(y_test))
print("in order   ", metrics.accuracy(y_test, predicted))
print("reshuffled ", metrics.accuracy(y_test[reshuffled], predicted))
print("predicted, true:", metrics.confusion_matrix(y_test, predicted, 2).tolist(), "(rows true)")
shown = np.random.default_rng(5).permutation(len(x_test))[:16]
lesson.show(
    plots.show_images(
        x_test[shown],
        y_test[shown],
        probabilities=probabilities[shown],
        class_names=classifier.class_names,
    ),
    "cats_dogs_predictions",
)

# %% [markdown]
# ## 自己的照片 · A photograph of one's own
#
# 把 `own` 換成自己的檔名。convlens 的模型檔帶著前處理：大小、通道、除以 255 都在裡面，給它檔案就好。
#
# Put the name of your own file in `own`. A classifier of convlens contains its preprocessing (size,
# channels and the division by 255), so it is enough to give it the file.
#
# 勘誤：講義的遷移學習程式預測自己的照片時沒有除以 255，網路卻是用除過的像素訓練的。
# （第一個貓狗程式有除。）下面把整個測試集這樣餵一次，看準確率變多少。
#
# Erratum: the transfer learning program of the deck does not divide one's own photograph by 255,
# although its network was trained on divided pixels. (Its first program for cats and dogs does.)
# Below, the whole test set is predicted in that way, to see what happens to the accuracy.

# %%
own = lesson.place("own.png")
Image.fromarray(x_test[0]).resize((200, 160)).save(own)
answer = classifier.predict(own)[0]
print(
    f"{own.name}: {answer.label} with {answer.probability:.1%} (it is: {classifier.class_names[y_test[0]]})"
)
if not answer.known:
    print("its probability is below the threshold: this is none of these classes")

bare = convlens.create_model("cats_dogs_3conv", input_shape=(side, side, 3))
bare.set_weights(classifier.model.get_weights())  # the same network without its preprocessing
for name, scale in (("divided by 255", 1 / 255), ("not divided", 1.0)):
    logits = bare.predict(x_test.astype("float32") * scale, verbose=0, batch_size=100)[:, 0]
    sure = np.exp(
        -np.logaddexp(0, -np.abs(logits.astype("float64")))
    )  # probability of what was answered
    loss = np.mean(np.logaddexp(0, np.where(y_test == 1, -logits, logits).astype("float64")))
    print(f"{name:15} {metrics.accuracy(y_test, (logits >= 0).astype(int))}; sure of itself by {sure.mean():.1%}, loss {loss:.2f}, "
          f"answered {classifier.class_names[1]} for {np.mean(logits >= 0):.0%}")  # fmt: skip

# %% [markdown]
# 為什麼答案常常沒變？只有 ReLU、沒有偏差的網路，輸入放大 255 倍，輸出也只是放大 255 倍，正負號不變。
# 先壞掉的是機率：每張都「百分之百確定」，錯的也是，損失就很大。偏差的作用也被淹沒，答案還是可能變。
#
# Why do the predictions often stay the same? A network of ReLUs without biases gives 255 times the
# output for 255 times the input, with the same sign. The probabilities suffer first: the network is
# completely certain of every image, also of its mistakes, and so the loss is large. The biases
# become negligible, too, so predictions may change after all.

# %% [markdown]
# ## 存檔與載入，一個開關 · Save and load, with a switch
#
# 訓練很久，所以訓練一次就存檔，下次直接載入。講義用一個變數當開關；更省事的開關是「檔案在不在」。
# `.h5` 是舊格式，現在用 `.keras`。
#
# Training takes a long time, so train once, save the network, and load it the next time. The deck
# uses a variable as a switch; it is simpler to check whether the file exists. `.h5` is the old
# format; today it is `.keras`.

# %%
model_file = lesson.place("switch.keras")


def trained_or_loaded():
    if model_file.exists():
        return keras.models.load_model(model_file), "loaded"
    small = keras.Sequential(
        [keras.Input(x_train.shape[1:]), layers.Rescaling(1 / 255), layers.Conv2D(8, 3, 2, activation="relu"),
         layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid")]
    )  # fmt: skip
    small.compile("adam", "binary_crossentropy")
    small.fit(x_train, y_train, epochs=1, verbose=0)
    small.save(model_file)
    return small, "trained and saved"


answers = []
for _ in range(2):
    began = time.perf_counter()
    small, how = trained_or_loaded()
    print(f"{how} in {time.perf_counter() - began:.2f} s")
    answers.append(small.predict(x_test[:50], verbose=0))
assert np.array_equal(*answers)
opened = keras.models.load_model(
    run.classifier_path
)  # a classifier of convlens opens in plain Keras, too
print(
    "the same answers; and plain Keras opens",
    run.classifier_path.name,
    opened.input_shape,
    "->",
    opened.output_shape,
)

# %% [markdown]
# ## 搜尋超參數 · Search for hyper-parameters
#
# 講義要大家用 TensorBoard 的 HParams 自己試。convlens 用 Optuna 找：試幾組設定，沒希望的提早停，
# 寫下 HParams 頁，最後說第一名和第二名到底分不分得出來。
# 命令列是 `convlens search 資料夾 --trials 20 --vary dropout=0..0.5`。
#
# The deck leaves this to the readers, with TensorBoard's HParams. convlens searches with Optuna: it
# tries settings, stops weak ones early, writes the HParams page, and says whether the best two can
# be told apart at all. On the command line it is `convlens search FOLDER --trials 20 --vary
# dropout=0..0.5`.

# %%
vary = ["filters=8,16|16,32|32,64", "dropout=0..0.5", "learning_rate=0.0003..0.01"]
plain = convlens.Config().replace(
    model="custom_cnn", size="16" if lesson.quick else "48", channels="rgb", limit=200 if lesson.quick else None,
    epochs=2 if lesson.quick else 8, augment="none", batch_size=32,
)  # fmt: skip
found = convlens.search(
    photographs,
    plain,
    trials=2 if lesson.quick else 10,
    minutes=10,
    space=vary,
    run=lesson.place("search"),
)
lesson.show(found.chart(), "search")

# %% [markdown]
# ## 經典模型：先看一張表 · The classic models: a table first
#
# 下面每個模型都問同樣的問題：帶來什麼、優點、缺點、何時用、何時不用。數字不用背：
# `convlens models` 列出全部，`convlens summary vgg16` 一層一層看，`convlens compare --published` 給準確率與出處。
#
# For each model below we ask the same questions: what it brought, its strengths and weaknesses, and
# when to use it and when not. There is no need to remember the numbers: `convlens models` lists all
# models, `convlens summary vgg16` shows the layers, and `convlens compare --published` gives
# accuracies and their sources.

# %%
CLASSICS = (
    "lenet5", "lenet_sigmoid", "alexnet", "alexnet_2towers", "vgg11", "vgg11_lrn", "vgg13", "vgg16_1x1", "vgg16", "vgg19",
    "nin", "googlenet", "inception_v2", "inception_v3", "inception_v4", "inception_resnet_v2", "xception", "resnet34",
    "resnet50", "resnet101", "resnet152", "densenet121", "densenet169", "densenet201",
)  # fmt: skip
print(
    f"{'model':20} year  {'input':>11}  {'parameters':>11}  {'mult-adds':>14}  ImageNet top-1, published"
)
for name in CLASSICS:
    info = convlens.model_info(name)
    top = f"{published.PUBLISHED[name].top_1:.1%}" if name in published.PUBLISHED else ""
    shape = "x".join(map(str, info.input_shape))
    print(
        f"{name:20} {info.year}  {shape:>11}  {info.num_params:>11,}  {info.multiply_adds:>14,}  {top}"
    )

# %% [markdown]
# ## LeNet：最早成功的卷積網路（1998） · LeNet: the first convolutional network to succeed (1998)
#
# - **帶來什麼**：把卷積網路定了型：看局部、共用權重、圖越來越小，特徵和分類器一起學。
# - **優點**：小、快，每個數字都打得開。
# - **缺點**：平均池化把突出的東西沖淡；sigmoid 的斜率最大只有 1/4，每多一層就再乘一次，梯度很快就沒了。
# - **何時用**：小的灰階圖、當基準、回顧歷史。
# - **何時不用**：比 32×32 大得多的照片：兩次池化之後，一個值只看得到 16×16 個像素。
#
# * **What it brought**: the form of convolutional networks: they look at local patches, share
#   weights and shrink the feature maps, and the features and the classifier are learned together.
# * **Strengths**: it is small and fast, and every number can be shown.
# * **Weaknesses**: average pooling dilutes what stands out; the slope of a sigmoid is at most 1/4,
#   and each layer multiplies by it once more, so that the gradient soon vanishes.
# * **Use it** for small grey images, as a baseline, or to look back at history.
# * **Do not use it** for images much larger than 32×32: after two poolings, a value sees only 16×16
#   pixels.
#
# 講義的 LeNet（`lenet_sigmoid`）用 SGD、批次 32、20 個回合，權重從 ±0.05 的均勻分布開始。照它的樣子訓練，
# 會先停在亂猜的水準：梯度一層一層變小，前面的層幾乎不動。停多久，看學習率：Keras 的 SGD 預設是 0.01，下面再試 0.05。
# 這不是講義的錯，這正是梯度消失的教材。
#
# The deck's LeNet, `lenet_sigmoid`, is trained by SGD with batches of 32 for 20 epochs, from
# uniform weights within ±0.05. Trained in this way, it first stays near chance: the gradients
# shrink from layer to layer, and the first layers hardly move. How long it stays there depends on
# the learning rate: 0.01 is the default of Keras' SGD, and we also try 0.05. This is not a mistake
# of the deck: it is the lesson of vanishing gradients.

# %%
assert convlens.create_model("lenet_sigmoid").count_params() == 155_606
recipe = convlens.Config().replace(
    model="lenet_sigmoid", optimizer="sgd", schedule="constant", augment="none", batch_size=32,
    epochs=2 if lesson.quick else 20, limit=300 if lesson.quick else None,
)  # fmt: skip
plateaus = {}
for rate in (0.01, 0.05):
    plateau = convlens.train(
        lesson.data("mnist"), recipe.replace(learning_rate=rate), run=lesson.place("lenet_sigmoid")
    )
    if not lesson.quick:
        lesson.compare(f"LeNet with sigmoids, learning rate {rate}", plateau, data="mnist")
    values = [row["val_accuracy"] for row in plateau.history]
    above = next((epoch for epoch, value in enumerate(values) if value > 0.2), None)
    if above is None:
        print(
            f"learning rate {rate}: validation stayed below 20 % for all {len(values)} epochs, on the plateau"
        )
    else:
        print(
            f"learning rate {rate}: validation was below 20 % for {above} epochs, then rose to {values[-1]:.1%}"
        )
    plateaus[f"{rate}"] = (range(1, len(values) + 1), values)
figure = plots.show_lines(
    {"lenet_sigmoid": plateaus}, across="回合 · epoch", up="驗證準確率 · validation", percent=True
)
lesson.show(figure, "lenet_plateau")

# %% [markdown]
# ## 梯度消失：sigmoid 與平均池化，對 ReLU 與最大池化 · Vanishing gradients: sigmoid and average pooling against ReLU and max pooling
#
# 同一個 LeNet，一次換一樣：激活函數，或池化。還有第五個：ReLU、最大池化，再加上 Glorot 的初始權重。
# 先看剛開始時，損失對每一層權重的梯度有多大（均方根）；再看每個回合的準確率。
#
# We take the same LeNet and change one thing at a time: the activation or the pooling. There is
# also a fifth network: ReLU and max pooling with Glorot's initial weights. First we see how large
# the gradients of the loss are at the start for the weights of each layer (root mean square), and
# then the accuracy after every epoch.

# %%
(digits, digit_labels), (new_digits, new_labels) = lesson.arrays("mnist")
few, passes, batch_size = (500, 4, 10) if lesson.quick else (10_000, 10, 32)
drawn = np.random.default_rng(1).permutation(len(digits))[:few]
x_few, y_few = digits[drawn].astype("float32") / 255, digit_labels[drawn]
some = np.random.default_rng(2).permutation(len(new_digits))[: 300 if lesson.quick else 2000]
x_new, y_new = new_digits[some].astype("float32") / 255, new_labels[some]
POOLS = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}


def lenet(activation, kind, start="random_uniform"):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, activation=activation, kernel_initializer=start, name="conv1"),
            POOLS[kind](2),
            layers.Conv2D(64, 5, activation=activation, kernel_initializer=start, name="conv2"),
            POOLS[kind](2),
            layers.Flatten(),
            layers.Dense(100, activation=activation, kernel_initializer=start, name="dense"),
            layers.Dense(10, kernel_initializer=start, name="logits"),
        ]
    )


def gradient_sizes(net, images, labels):
    """Return the root mean square of dLoss/dKernel of each layer, first to last."""

    def mean_loss(weights):
        logits, _ = net.stateless_call(weights, [], images)
        return keras.ops.mean(
            keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        )

    gradients = convlens.backend.gradients(
        mean_loss, [np.asarray(weight) for weight in net.trainable_variables]
    )
    return [
        float(np.sqrt(np.mean(one**2))) for one in gradients[::2]
    ]  # kernels; biases lie between


KINDS = {
    "sigmoid, average": ("sigmoid", "average"),
    "sigmoid, max": ("sigmoid", "max"),
    "ReLU, average": ("relu", "average"),
    "ReLU, max": ("relu", "max"),
    "ReLU, max, Glorot": ("relu", "max", "glorot_uniform"),
}
at_start, curves = {}, {}
for name, kind in KINDS.items():
    net = lenet(*kind)
    sizes = gradient_sizes(net, x_few[:200], y_few[:200])
    net.compile(
        keras.optimizers.SGD(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    fitted = net.fit(
        x_few,
        y_few,
        epochs=passes,
        batch_size=batch_size,
        validation_data=(x_new, y_new),
        verbose=0,
    )
    at_start[name] = (range(1, 5), sizes)
    curves[name] = (range(1, passes + 1), fitted.history["val_accuracy"])
    print(f"{name:18} gradients {' '.join(f'{size:.1e}' for size in sizes)}; conv1's are {sizes[0] / sizes[-1]:.3g} "
          f"times the last layer's; accuracy after {passes} epochs {curves[name][1][-1]:.1%}")  # fmt: skip
panels = {
    name: {
        kind.removeprefix(f"{name}, "): line
        for kind, line in at_start.items()
        if kind.startswith(name)
    }
    for name in ("sigmoid", "ReLU")
}
figure = plots.show_lines(
    panels,
    across="層 · layer: 1 conv1, 2 conv2, 3 dense, 4 logits",
    up="梯度的均方根 · rms of gradients",
    log=True,
)
for axes in figure.axes:
    axes.set_ylim(1e-5, 1e-1)
lesson.show(figure, "gradients_by_layer")

# %%
ratio = {name: sizes[0] for name, (_, sizes) in at_start.items()}
print("gradients of conv1 at the start, against the deck's:",
      ", ".join(f"{name} {size / ratio['sigmoid, average']:.3g} times" for name, size in ratio.items()))  # fmt: skip
learned = [name for name, (_, values) in curves.items() if values[-1] > 0.5]
print(
    "above 50 % at the end:",
    "; ".join(learned) or "none",
    " below:",
    "; ".join(set(curves) - set(learned)) or "none",
)
panels = {
    name: {
        kind.removeprefix(f"{name}, "): line
        for kind, line in curves.items()
        if kind.startswith(name)
    }
    for name in ("sigmoid", "ReLU")
}
figure = plots.show_lines(panels, across="回合 · epoch", up="準確率 · accuracy", percent=True)
for axes in figure.axes:
    axes.set_ylim(0, 1)
lesson.show(figure, "sigmoid_against_relu")

# %% [markdown]
# ## AlexNet：深網路贏了 ImageNet（2012） · AlexNet: a deep network wins ImageNet (2012)
#
# - **帶來什麼**：ReLU 的深網路、丟棄、資料增強、重疊的池化（3×3 的窗、步幅 2），用兩張顯示卡在一百多萬張照片上訓練；
#   贏了 2012 年的 ImageNet。
# - **優點**：層數少，每一層都看得懂。
# - **缺點**：三個全連接層就佔了九成多的參數，圖一大就更多；第一層步幅是 4，細節就丟了。
# - **何時用**：看丟棄與 ReLU 改變了什麼。
# - **何時不用**：其他時候；ResNet 參數更少，答得更好。
#
# * **What it brought**: deep networks with ReLU, dropout, augmentation and overlapping pooling (3×3
#   windows with strides of 2), trained on more than a million photographs with two graphics cards;
#   it won ImageNet in 2012.
# * **Strengths**: it has few layers, and each of them can be understood.
# * **Weaknesses**: the three dense layers have more than nine tenths of the parameters, and grow
#   with the image; the first layer has strides of 4 and loses detail.
# * **Use it** to see what dropout and ReLU changed.
# * **Do not use it** otherwise: a ResNet has fewer parameters and is more accurate.
#
# 圖的邊長是 227：論文寫 224，但 11×11、步幅 4 從 224 走不出 55。
#
# Its images are 227 pixels wide: the paper says 224, but 11×11 windows with strides of 4 do not
# give 55 from 224.

# %%
for side_of_image in (227, 224):
    print(f"{side_of_image}:", convlens.sizes.lay_windows(side_of_image, 11, 4, "valid").formula)
alexnet = convlens.create_model("alexnet")
assert alexnet.count_params() == 62_378_344
in_dense = sum(layer.count_params() for layer in alexnet.layers if isinstance(layer, layers.Dense))
print(
    f"dense layers: {in_dense:,} of {alexnet.count_params():,}, {in_dense / alexnet.count_params():.1%}"
)
del alexnet

# %% [markdown]
# ## VGG：只用 3×3，一塊一塊疊（2014） · VGG: 3×3 only, block by block (2014)
#
# - **帶來什麼**：只用 3×3 卷積和 2×2 池化，一塊一塊疊（VGG 組件）；兩個 3×3 看到的和一個 5×5 一樣多，
#   參數是 18 比 25，還多一次 ReLU。
# - **優點**：規則簡單，容易改，特徵也適合拿去別的任務。
# - **缺點**：第一個全連接層一個就有 102,764,544 個參數，計算量大，沒有批次正規化，起步慢。
# - **何時用**：學習，或帶著訓練好的權重當特徵。
# - **何時不用**：照片少又要從頭訓練，或時間、記憶體不夠。
#
# * **What it brought**: only 3×3 convolutions and 2×2 poolings, block by block (the VGG block); two
#   3×3 convolutions see as much as one 5×5 convolution, with 18 weights instead of 25 and one more
#   ReLU.
# * **Strengths**: its rule is simple, it is easy to change, and its features are useful for other
#   tasks.
# * **Weaknesses**: the first dense layer alone has 102,764,544 parameters; it needs much
#   arithmetic; without batch normalisation it starts slowly.
# * **Use it** to learn, or with trained weights for its features.
# * **Do not use it** to train from scratch on few images, or if time or memory is short.

# %%


def measured(name):
    text, width, channels, bias, what = stacks.STACKS[name]
    return what, stacks.measure(stacks.read_layers(text), width, channels, bias=bias)


for what, rows in (measured("five"), measured("two-threes")):
    print(
        f"{what}: sees {rows[-1].field} x {rows[-1].field} pixels, {sum(row.params.value for row in rows)} weights"
    )
assert [sum(row.params.value for row in measured(name)[1]) for name in ("two-threes", "five")] == [
    18,
    25,
]


def vgg_block(filters, convs):
    return [
        *(layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(convs)),
        layers.MaxPooling2D(2),
    ]


body = keras.Sequential([keras.Input((224, 224, 3)), *vgg_block(64, 2), *vgg_block(128, 2), *vgg_block(256, 3),
                         *vgg_block(512, 3), *vgg_block(512, 3)])  # fmt: skip
assert body.count_params() == 14_714_688  # VGG16 without its top
NAMES_OF_VGG = {
    "A": "vgg11",
    "A-LRN": "vgg11_lrn",
    "B": "vgg13",
    "C": "vgg16_1x1",
    "D": "vgg16",
    "E": "vgg19",
}
for letter, name in NAMES_OF_VGG.items():
    print(f"{letter:6} {name:10} {convlens.model_info(name).num_params:,} parameters")
lesson.show(
    views.sizes_page([measured("five"), measured("two-threes")], "5 x 5"), "five_and_two_threes"
)

# %% [markdown]
# ## NiN（2013）：1×1 卷積與全域平均池化 · NiN (2013): the 1×1 convolution and global average pooling
#
# - **帶來什麼**：1×1 卷積，等於在每個像素上放一個小的全連接層，把通道混在一起，也能增減通道；全域平均池化，
#   一張圖變成一個數，代替參數最多的全連接層。
# - **優點**：參數少，圖的大小不拘，類別的圖可以直接看。
# - **缺點**：十幾層沒有正規化也沒有捷徑，很久都停在亂猜。
# - **何時用**：檔案要小、時間充裕，或看這兩招怎麼運作。
# - **何時不用**：要快點訓練好的時候；後來的網路都有這兩招，而且有正規化。
#
# * **What it brought**: the 1×1 convolution, which is a small dense layer at every pixel, mixes the
#   channels and can increase or reduce their number; and global average pooling, which makes one
#   number of each feature map and replaces the dense layers with most of the parameters.
# * **Strengths**: it has few parameters, takes images of any size, and the feature maps of the
#   classes can be looked at.
# * **Weaknesses**: a dozen layers without normalisation or shortcuts stay at chance for a long
#   time.
# * **Use it** if the file must be small and there is time, or to see how these two ideas work.
# * **Do not use it** if the training must be fast; later networks have both ideas, and
#   normalisation.

# %%
colours = np.array([[[1, 0], [0, 2]], [[3, 1], [2, 2]]])  # 2 x 2 pixels of 2 channels
mixing = np.array([[1, 2, -1], [1, 0, 1]]).reshape(1, 1, 2, 3)
mixed_channels = arithmetic.convolve(colours, mixing).output
assert (mixed_channels == colours @ mixing[0, 0]).all()  # a dense layer at every pixel
print("1x1 convolution, 2 channels to 3:", mixed_channels.astype(int).tolist())
print(
    "global average of the 3 maps:",
    [str(value) for value in arithmetic.global_average(mixed_channels)],
)
assert convlens.create_model("nin").count_params() == 2_015_398
assert convlens.create_model("nin", input_shape=(224, 224, 1)).count_params() == 1_992_166
print(
    *(
        f"{name} has {convlens.model_info(name).num_params:,} parameters"
        for name in ("nin", "alexnet")
    ),
    sep=", ",
)

# %% [markdown]
# ## GoogLeNet（2014）：Inception 與串接 · GoogLeNet (2014): Inception and concatenation
#
# - **帶來什麼**：不知道 1×1、3×3、5×5 哪個好，就全部都做，再把結果串接起來；貴的卷積前面先用 1×1 把通道變少。
#   講義的模組從 403,424 個參數降到 122,064。
# - **優點**：參數是 VGG11 的十九分之一，準確率差不多。
# - **缺點**：一堆數字沒有規則，不好放大縮小；沒有批次正規化，所以中間要加輔助輸出幫忙。
# - **何時用**：複雜的照片、計算量有限；實務上拿 v2 或 v3。
# - **何時不用**：想自己改架構的時候。
#
# * **What it brought**: since it is not known whether 1×1, 3×3 or 5×5 is best, it computes all of
#   them and concatenates the results; a 1×1 convolution before the expensive ones reduces the
#   channels. The deck's module goes from 403,424 parameters to 122,064.
# * **Strengths**: it has a nineteenth of the parameters of VGG11 at a similar accuracy.
# * **Weaknesses**: its numbers follow no rule, so it is hard to make larger or smaller; without
#   batch normalisation it needs auxiliary heads.
# * **Use it**, or rather v2 or v3, for difficult photographs if the arithmetic is limited.
# * **Do not use it** if you want to change the architecture.

# %%


def branch(x, *convs):
    for filters, kernel_size in convs:
        x = layers.Conv2D(filters, kernel_size, padding="same", activation="relu")(x)
    return x


inputs = keras.Input((10, 10, 200))
pooled = layers.MaxPooling2D(3, strides=1, padding="same")(inputs)
naive = keras.Model(
    inputs,
    layers.concatenate(
        [branch(inputs, (64, 1)), branch(inputs, (128, 3)), branch(inputs, (32, 5)), pooled]
    ),
)
reduced = keras.Model(
    inputs,
    layers.concatenate([branch(inputs, (64, 1)), branch(inputs, (64, 1), (128, 3)), branch(inputs, (16, 1), (32, 5)),
                        branch(pooled, (32, 1))]),
)  # fmt: skip
assert naive.count_params() == 403_424
assert reduced.count_params() == 122_064
for name, module in (("naive", naive), ("reduced", reduced)):
    print(
        f"{name:8} {module.count_params():>8,} parameters, {module.output_shape[-1]} channels out"
    )

# %% [markdown]
# ### Inception v2、v3、v4：批次正規化 · Inception v2, v3, v4: batch normalisation
#
# v2 每層做批次正規化（平均 0、標準差 1），學習率可以大好幾倍，並用兩個 3×3 代替 5×5。
# v3 再把 n×n 拆成 1×n 與 n×1。v4 把模組整理成幾種，每種重複。
#
# Version 2 normalises each layer over the batch (mean 0, standard deviation 1), so that learning
# rates can be several times as large, and replaces a 5×5 convolution by two 3×3 convolutions.
# Version 3 splits n×n into 1×n and n×1. Version 4 has a few kinds of modules and repeats each of
# them.
#
# 勘誤：講義把 Inception-ResNet 當成 Inception-v4。同一篇論文裡這是兩個網路：v4 沒有捷徑，Inception-ResNet 才有；
# 程式裡的 `InceptionResNetV2` 是後者。
#
# Erratum: the deck takes Inception-ResNet for Inception-v4. They are two networks of the same
# paper: v4 has no shortcuts, and Inception-ResNet has them; the `InceptionResNetV2` in the code is
# the latter.

# %%
batch = np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 20.0], [7.0, 60.0]])  # 4 examples, 2 channels
done = arithmetic.batch_normalize(batch)
print("mean", done.mean, " deviation", done.deviation.round(3))
print("normalised:", done.normalized.round(3).tolist())
for n in (3, 5, 7):
    print(f"{n}x{n}: {n * n} weights a channel; 1x{n} and {n}x1: {2 * n}")
for name in ("inception_v2", "inception_v3", "inception_v4", "inception_resnet_v2"):
    print(f"{name:20} {convlens.model_info(name).num_params:,} parameters")

# %% [markdown]
# ## Xception（2016）：深度可分離卷積 · Xception (2016): depthwise separable convolution
#
# - **帶來什麼**：先讓每個通道各自卷積，再用 1×1 把通道混起來。3 個通道到 2 個濾鏡：標準卷積 54 個權重，
#   分開只要 27 + 6 = 33 個。
# - **優點**：參數與計算都少。
# - **缺點**：搬很多記憶體做很少計算，省下的秒數不如省下的乘法多；空間和通道真的糾纏在一起時，拆不開。
# - **何時用**：想用較少參數得到 Inception 等級的準確率。
# - **何時不用**：圖很小、通道很少的時候，省不到什麼。
#
# * **What it brought**: each channel is convolved by itself, and then a 1×1 convolution mixes the
#   channels. From 3 channels to 2 filters, a standard convolution has 54 weights, and a separable
#   one has 27 + 6 = 33.
# * **Strengths**: it has fewer parameters and multiplications.
# * **Weaknesses**: much memory is moved for little arithmetic, so it saves fewer seconds than
#   multiplications; and if space and channels really depend on each other, they cannot be
#   separated.
# * **Use it** for the accuracy of Inception with fewer parameters.
# * **Do not use it** if images are small and channels are few: there is little to save.

# %%
standard, separable = measured("standard"), measured("separable")
weights_of = [sum(row.params.value for row in rows) for _, rows in (standard, separable)]
assert weights_of == [54, 33]
for channels, filters in ((3, 2), (128, 128), (728, 728)):
    full, parted = 9 * channels * filters, 9 * channels + channels * filters
    print(f"{channels} to {filters}: {full:,} weights against {parted:,}, {parted / full:.1%}")
lesson.show(views.sizes_page([standard, separable], "5 x 5 x 3"), "separable")

# %% [markdown]
# ## ResNet（2015）：串接與相加，捷徑 · ResNet (2015): concatenation and addition, shortcuts
#
# - **帶來什麼**：每一塊學的是「要在輸入上加多少」，x + F(x)。什麼都不必加的時候，塊就讓路；梯度也多一條近路回去。
#   於是一百多層的網路訓練得起來。34 層以下的塊是兩個 3×3；50 層以上是 1×1、3×3、1×1。
# - **優點**：深了真的有用，幾乎什麼設定都訓練得起來。
# - **缺點**：以今天的眼光計算量大，捷徑讓圖佔著記憶體。
# - **何時用**：第一個認真的網路。
# - **何時不用**：手機，或照片很少又沒有訓練好的權重。
#
# * **What it brought**: each block learns what to add to its input, x + F(x). If nothing has to be
#   added, the block passes its input on; and gradients have a short way back. So networks of more
#   than a hundred layers can be trained. Up to 34 layers, a block is two 3×3 convolutions; from 50
#   layers on it is 1×1, 3×3, 1×1.
# * **Strengths**: more layers really help, and it trains with nearly any settings.
# * **Weaknesses**: it needs much arithmetic by today's standards, and its shortcuts keep feature
#   maps in memory.
# * **Use it** as the first serious network.
# * **Do not use it** on a phone, or for few photographs without trained weights.

# %%
one, other = np.array([[[1, 2]], [[3, 4]]]), np.array([[[10, 20]], [[30, 40]]])
added, joined = arithmetic.add([one, other]), arithmetic.concatenate([one, other])
print(
    "addition (ResNet)       ",
    one.shape,
    "+",
    other.shape,
    "->",
    added.shape,
    added.astype(int).tolist(),
)
print(
    "concatenation (DenseNet)",
    one.shape,
    "|",
    other.shape,
    "->",
    joined.shape,
    joined.astype(int).tolist(),
)
for name in ("resnet34", "resnet50", "resnet101", "resnet152"):
    info = convlens.model_info(name)
    print(
        f"{name:10} {info.num_params:,} parameters, {info.multiply_adds / 1e9:.1f} G multiply-adds an image"
    )

# %% [markdown]
# ## DenseNet：在一塊之內，看得到前面所有層（2016） · DenseNet: within a block, every layer sees all before (2016)
#
# - **帶來什麼**：在一塊之內，每一層都看得到塊裡前面所有層的圖（串接，不是相加），自己只加一點點。
#   A 型的層是 3×3；B 型先用 1×1 收窄（瓶頸層）；塊與塊之間只隔一個過渡層，用 1×1 減少通道、再平均池化。
# - **優點**：特徵留著重複用，參數少，資料少的時候也學得好。
# - **缺點**：一直串接很佔記憶體，訓練慢。
# - **何時用**：參數要少、資料不多。
# - **何時不用**：訓練時間或記憶體有限。
#
# * **What it brought**: within a block, every layer sees the feature maps of all layers before it
#   (concatenated, not added) and adds only a few of its own. A layer of type A is a 3×3
#   convolution; type B has a 1×1 convolution before it, the bottleneck; between two blocks there is
#   only a transition layer, which reduces the channels by a 1×1 convolution and then uses average
#   pooling.
# * **Strengths**: features are kept and used again; it has few parameters, and learns well from
#   little data.
# * **Weaknesses**: concatenation takes much memory, and the training is slow.
# * **Use it** if parameters must be few and there is little data.
# * **Do not use it** if time or memory for the training is short.

# %%


def normalised_convolution(x, filters, kernel_size):
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return layers.Conv2D(filters, kernel_size, padding="same", use_bias=False)(x)


def dense_block(x, num_layers, growth, bottleneck):
    for _ in range(num_layers):
        y = normalised_convolution(x, 4 * growth, 1) if bottleneck else x
        x = layers.concatenate([x, normalised_convolution(y, growth, 3)])
    return x


entry = keras.Input((32, 32, 64))
for letter, bottleneck in (("A", False), ("B", True)):
    grown = dense_block(entry, 12, 12, bottleneck)
    smaller = layers.AveragePooling2D(2)(
        normalised_convolution(grown, grown.shape[-1] // 2, 1)
    )  # the transition
    parameters = keras.Model(entry, grown).count_params()
    print(
        f"type {letter}: 64 channels -> {grown.shape[-1]} after 12 layers, {parameters:,} parameters in the block;"
    )
    print(f"        the transition makes them {tuple(smaller.shape[1:])}")
for name in ("densenet121", "densenet169", "densenet201"):
    print(f"{name}: {convlens.model_info(name).num_params:,} parameters")

# %% [markdown]
# ## 準確率對運算量 · Accuracy against the number of operations
#
# 講義的最後一張圖：每個模型的 ImageNet 準確率，對上算一張圖要幾次乘加。準確率是各家自己公布的，不是我們量的。
# 從裡面找「前緣」上的模型：沒有別的模型比它又準又省。
#
# The last chart of the deck shows the accuracy of each model on ImageNet against the multiply-adds
# for one image. The accuracies were published by others; we did not measure them. A model is on the
# front if no other model is both cheaper and more accurate.

# %%
rows = [name for name in CLASSICS if name in published.PUBLISHED]
tops = {name: published.PUBLISHED[name].top_1 for name in rows}
costs = {name: convlens.model_info(name).multiply_adds for name in rows}
front = [
    name
    for name in rows
    if not any(
        costs[other] <= costs[name] and tops[other] > tops[name] for other in rows if other != name
    )
]
print("the front, from cheap to expensive:", ", ".join(sorted(front, key=costs.get)))
one_crop = [published.PUBLISHED[name].evaluated == published.ONE_CROP for name in rows]
lesson.show(
    plots.show_published(rows, list(tops.values()), list(costs.values()), one_crop),
    "accuracy_and_operations",
)

# %% [markdown]
# ## 三條原則：留特徵、留梯度、省參數 · Three rules: keep features, keep gradients, save parameters
#
# 一、留住特徵：用最大池化，不用平均池化；池化的步幅小於窗框，重複看幾遍；把塊裡前面的圖接到後面（DenseNet）。
# 二、留住梯度：用 ReLU；做批次正規化；加捷徑（ResNet）。
# 三、省參數：幾個小卷積代替一個大卷積；1×1 卷積先減少通道；全域平均池化代替全連接層；並排的分支；深度可分離卷積。
#
# First, keep features: use max pooling rather than average pooling, use strides smaller than the
# pooling window, so that values are used again, and pass earlier feature maps on to later layers
# (DenseNet). Second, keep gradients: use ReLU, batch normalisation and shortcuts (ResNet). Third,
# save parameters: replace a large convolution by several small ones, reduce the channels by 1×1
# convolutions first, replace dense layers by global average pooling, and use parallel branches and
# depthwise separable convolutions.

# %% [markdown]
# ## 六種遷移學習 · Six kinds of transfer learning
#
# 別處學來的，拿到這裡用。先看別處的資料（來源）和這裡的資料（目標）有沒有標籤：
#
# What was learned elsewhere is used here. The kind depends on whether the data there (source) and
# here (target) have labels:
#
# | 來源 source | 目標 target | 種類 kind | 做什麼 what is done |
# |---|---|---|---|
# | 有 labelled | 有 labelled | 微調 fine-tuning | 用目標的資料接著訓練 train on with the target's data |
# | 有 labelled | 有 labelled | 多工學習 multitask learning | 兩個任務一起訓練，共用前面的層 both tasks at once, sharing layers |
# | 有 labelled | 無 unlabelled | 領域對抗訓練 domain-adversarial training | 讓網路分不出資料來自哪裡 features that do not tell which data they come from |
# | 有 labelled | 無 unlabelled | 零樣本學習 zero-shot learning | 靠類別的描述認沒見過的類別 classes never seen, known by a description |
# | 無 unlabelled | 有 labelled | 自我學習 self-taught learning | 先從無標籤資料學表示 a representation from unlabelled data first |
# | 無 unlabelled | 無 unlabelled | 自我學習分群 self-taught clustering | 借來源的資料把目標分群 cluster the target with the source's help |
#
# 下面做的是第一種裡的「搬層」（layer transfer）：搬別人的卷積層，後面接自己的分類層。
#
# What follows belongs to the first kind and is called layer transfer: the convolutions of another
# network, with a classifier of our own behind them.

# %% [markdown]
# ## 凍結哪些層：影像與聲音 · Which layers to freeze: images and sound
#
# 影像的前面幾層學的是邊和角，換成什麼照片都用得上，所以凍結前面、訓練後面。
# 聲音反過來：前面幾層學的是誰的嗓音、什麼口音，換人就不同；後面的是字句，換人也一樣，所以凍結後面、訓練前面。
#
# In images, the first layers learn edges and corners, which are useful for any photograph: freeze
# the first layers and train the last ones. For sound it is the other way round: the first layers
# learn voices and accents, which change with the speaker, and the later layers learn words, which
# do not: freeze the last layers and train the first ones.

# %% [markdown]
# ## 用 VGG16 遷移 · Transfer with VGG16
#
# VGG16 去掉頂部，除了 block5_conv1 到 block5_conv3 之外全部凍結，再接展平、512 個神經元、sigmoid：
# 27,560,769 個參數，可訓練的 19,925,505 個。RMSprop、學習率 1e-5（大步會把學來的東西毀掉）、批次 10、10 個回合，
# 只用訓練資料的四分之一。講義的結果是 95.00 %。
#
# VGG16 is used without its top. All of its layers are frozen except block5_conv1 to block5_conv3,
# and a flatten layer, 512 neurons and a sigmoid follow: 27,560,769 parameters, of which 19,925,505
# are trainable. The optimizer is RMSprop with a learning rate of 1e-5, since large steps would
# destroy what was learned; there are batches of 10 and 10 epochs, and only a quarter of the
# training images is used. The deck's result is 95.00 %.
#
# 勘誤：講義餵給 VGG16 的像素是除以 255 的；它的 ImageNet 權重是用「BGR 順序、減去平均」的像素訓練的。
#
# Erratum: the deck feeds VGG16 with pixels divided by 255; its ImageNet weights were trained on
# pixels in BGR order minus the mean.
#
# 勘誤：`shear_range=0.2` 的單位是度。0.2 度在 224 個像素上不到一個像素，等於沒有剪切。
#
# Erratum: the unit of `shear_range=0.2` is degrees. Over 224 pixels, 0.2 degrees are less than one
# pixel, so there is practically no shear.
#
# 和講義不同的有兩處：剪切省略了（0.2 度等於沒有）；講義用其餘四分之三當驗證，這裡為了省時間不驗證。
#
# Two things differ from the deck: the shear is left out, as 0.2 degrees make no difference; and the
# deck validates on the other three quarters, which we leave out to save time.

# %%
print(f"0.2 degrees over 224 pixels: {224 * math.tan(math.radians(0.2)):.2f} pixels")
print("the pixel 255, 128, 0 for VGG16:", keras.applications.vgg16.preprocess_input(np.array([[255.0, 128.0, 0.0]]))[0].round(2),
      " divided by 255:", (np.array([255, 128, 0]) / 255).round(2))  # fmt: skip


def vgg16_transfer(*, as_in_the_deck):
    """Pixels 0..255 to a probability: VGG16 frozen by name, and how its pixels are scaled."""
    keras.utils.set_random_seed(4)  # the new layers start alike
    vgg16 = keras.applications.VGG16(include_top=False, weights=None, input_shape=(224, 224, 3))
    for layer in vgg16.layers:
        layer.trainable = layer.name in ("block5_conv1", "block5_conv2", "block5_conv3")
    pixels = keras.Input((224, 224, 3))
    x = layers.RandomFlip("horizontal")(pixels)
    x = layers.RandomZoom(0.2)(layers.RandomTranslation(0.2, 0.2)(x))
    if as_in_the_deck:
        x = layers.Rescaling(1 / 255)(x)
    else:
        x = layers.Rescaling([1.0, 1.0, 1.0], [-103.939, -116.779, -123.68])(
            keras.ops.flip(x, axis=-1)
        )
    x = layers.Dense(512, "relu")(layers.Flatten()(vgg16(x)))
    model = keras.Model(pixels, layers.Dense(1, "sigmoid")(x))
    model.compile(keras.optimizers.RMSprop(1e-5), "binary_crossentropy", metrics=["accuracy"])
    return model, vgg16


transfer, vgg16 = vgg16_transfer(as_in_the_deck=True)
assert transfer.count_params() == 27_560_769
assert (
    convlens.model_info("transfer_vgg16_cats_dogs").num_params == 27_560_769
)  # the same program in the zoo
trainable = sum(math.prod(weight.shape) for weight in transfer.trainable_variables)
assert trainable == 19_925_505
print(f"{transfer.count_params():,} parameters, {trainable:,} trainable")
print(
    "trainable layers of VGG16:", ", ".join(layer.name for layer in vgg16.layers if layer.trainable)
)

# %% [markdown]
# 訓練好的權重不在 convlens 裡，要下載（`vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5`，
# 放進 `~/.keras/models`）。找得到就照講義訓練，再用正確的前處理訓練一次來比較；找不到就用隨機權重，
# 只看程式怎麼走：凍結的層一個位元都不會變，分數沒有意義。快速執行時一律用隨機權重。
#
# The trained weights do not come with convlens; they have to be downloaded
# (`vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5`, to be put into `~/.keras/models`). If the
# file is found, the training of the deck runs, and then once more with the right preprocessing, for
# comparison. Otherwise random weights only show how the program works: the frozen layers do not
# change by a single bit, and the scores mean nothing. A quick run always uses random weights.

# %%
trained = not lesson.quick
if trained:
    try:
        convlens.load_weights(transfer, "transfer_vgg16_cats_dogs")
    except convlens.ConvlensError as error:
        trained = False
        print(error)
if not trained:
    print("\n*** RANDOM WEIGHTS: what follows shows the way only, its scores mean nothing. ***\n")

# %% [markdown]
# 像講義一樣，一個變數決定要訓練還是載入存好的檔案。檔案放在各次執行共用的資料夾裡，下次才找得到。
#
# As in the deck, one variable decides whether to train or to load the saved file. The file lies in
# a folder that all runs share, so that the next run finds it.

# %%
train_again = True
saved = lesson.folder.parent / f"transfer_vgg16-{'trained' if trained else 'random'}.keras"
(x_large, y_large), (x_check, y_check) = lesson.arrays("cats_dogs", size=224, channels="rgb")
quarter = np.random.default_rng(0).permutation(len(x_large))[: len(x_large) // 4 if trained else 10]
epochs = 10 if trained else 1
fitted = None
if train_again or not saved.is_file():
    frozen = {layer.name: layer.get_weights() for layer in vgg16.layers if not layer.trainable}
    began = time.perf_counter()
    fitted = transfer.fit(
        x_large[quarter], y_large[quarter], batch_size=10, epochs=epochs, verbose=2
    )
    seconds = time.perf_counter() - began
    for name, before in frozen.items():
        after = vgg16.get_layer(name).get_weights()
        assert all((one == other).all() for one, other in zip(before, after, strict=True)), name
    print("every frozen weight is as it was, bit for bit")
    saved.parent.mkdir(parents=True, exist_ok=True)
    transfer.save(saved)
else:
    transfer = keras.models.load_model(saved)
    print("loaded:", saved)

# %%
if trained and fitted is not None:
    answers = (transfer.predict(x_check, batch_size=10, verbose=0)[:, 0] >= 0.5).astype(int)
    lesson.compare("cats and dogs, VGG16 transferred", metrics.accuracy(y_check, answers), data="cats_dogs", deck=0.95,
                   seconds=seconds)  # fmt: skip
    right, _ = vgg16_transfer(as_in_the_deck=False)
    convlens.load_weights(right, "transfer_vgg16_cats_dogs")
    right.fit(x_large[quarter], y_large[quarter], batch_size=10, epochs=epochs, verbose=2)
    again = (right.predict(x_check, batch_size=10, verbose=0)[:, 0] >= 0.5).astype(int)
    lesson.compare(
        "the same, pixels scaled correctly", metrics.accuracy(y_check, again), data="cats_dogs"
    )
    print(
        *convlens.compare_pairs(
            ("divided by 255", "BGR minus mean"), np.stack([answers == y_check, again == y_check])
        )
    )
    lesson.show(plots.show_metrics(fitted.history), "transfer_history")

# %% [markdown]
# ### 一分鐘的做法：特徵只算一次 · In a minute: features computed once
#
# 講義的 95 % 只用四分之一的訓練照片，這裡用全部（留一份驗證），不能直接相比。
#
# The deck's 95 % was obtained with a quarter of the training images; here all of them are used,
# except for a share for validation, so the two cannot be compared directly.
#
# 全部凍結、又沒有資料增強的話，每一回合算出來的特徵都一樣。那就每張圖只算一次，存起來，再用邏輯迴歸學一個頭：
# 幾秒鐘就好，沒有學習率要調。EfficientNet-Lite0 的權重有套件可裝，不必連網。
#
# If all layers are frozen and there is no augmentation, the features of an image are the same in
# every epoch. So they are computed once for each image and stored, and a head is trained on them by
# logistic regression: this takes seconds, and there is no learning rate to choose. The weights of
# EfficientNet-Lite0 come as a package, so no download is needed.

# %%
if lesson.quick:
    recipe = convlens.Config().replace(backbone="efficientnet_lite0", size="64", limit=200)
else:
    recipe = convlens.Config().replace(backbone="efficientnet_lite0")
try:
    began = time.perf_counter()
    features = convlens.train(lesson.data("cats_dogs"), recipe, run=lesson.place("frozen"))
    seconds = time.perf_counter() - began
    lesson.compare("cats and dogs, EfficientNet-Lite0 frozen", features, data="cats_dogs")
    print(f"{seconds:.0f} s from the photographs to the report")
except convlens.ConvlensError as error:
    print(error)

# %% [markdown]
# 講義那種凍結法，用 convlens 也做得到：`convlens train PHOTOS --backbone vgg16 --pooling none --head 512 --unfreeze "block5_conv*"
# --optimizer rmsprop --learning-rate 1e-5 --batch-size 10 --epochs 10`。頭先學，再一起微調；愈前面的層學得愈慢。
#
# The deck's way of freezing is also possible with convlens: `convlens train PHOTOS --backbone vgg16
# --pooling none --head 512 --unfreeze "block5_conv*" --optimizer rmsprop --learning-rate 1e-5
# --batch-size 10 --epochs 10`. The head is trained first, and then both are fine-tuned together;
# lower layers learn more slowly.

# %% [markdown]
# ## 作業：CIFAR-10 · Homework: CIFAR-10
#
# 自己設計一個 CNN 分類 CIFAR-10，找最好的超參數，再接上一個經典模型。講義的草圖用 2×2 的池化、步幅 1：
# 圖幾乎不縮小，參數全擠在第一個全連接層。數數看：
#
# Design a CNN of your own for CIFAR-10, search for the best hyper-parameters, and then add a
# classic model. The sketch in the deck uses 2×2 pooling with strides of 1: the feature maps hardly
# shrink, and nearly all parameters are in the first dense layer. Count them:

# %%
for steps_of_pool in (1, 2):
    shape = convlens.Config().replace(model="custom_cnn", pool_strides=steps_of_pool).model
    own_network = convlens.create_model("custom_cnn", config=shape)
    print(f"pools with step {steps_of_pool}: {own_network.count_params():,} parameters, flattened "
          f"{own_network.get_layer('flatten').output.shape[1]:,}")  # fmt: skip

# %% [markdown]
# 一、自己的網路。二、搜尋過的：先在一部分照片上試幾組，最好的再完整訓練。三、接上經典模型：凍結的
# EfficientNet-Lite0，圖放大到 128×128（放大到 224 更準，但是慢得多；快速執行時 64×64）。
# 三個都用測試圖評分；設定是用驗證圖挑的。區間不重疊的，才說得上誰比較好。
#
# First, a network of your own. Second, a searched network: some settings are tried on a part of the
# images, and the best one is trained in full. Third, a classic model: EfficientNet-Lite0, frozen,
# with images enlarged to 128×128 (224 is more accurate, but takes much longer; a quick run uses
# 64×64). All three are scored on the test images; the settings were chosen on validation images.
# Only where intervals do not overlap can one network be called better.

# %%
cifar10 = lesson.data("cifar10")
homework = convlens.Config().replace(
    model="custom_cnn",
    filters=(32, 64, 128),
    dropout=0.25,
    dense=(128,),
    epochs=4 if lesson.quick else 12,
    limit=300 if lesson.quick else None,
)
done = convlens.train(cifar10, homework, run=lesson.place("homework"))
lesson.compare("CIFAR-10 homework, a CNN of one's own", done, data="cifar10")

# %%
tried = convlens.search(
    cifar10, homework.replace(limit=300 if lesson.quick else 10_000, epochs=2 if lesson.quick else 5),
    trials=2 if lesson.quick else 10, run=lesson.place("homework-search"),
    space=["filters=32,64,128|48,96,192|64,128,256", "convs_per_block=1,2", "dropout=0..0.4", "learning_rate=0.001..0.008"],
)  # fmt: skip
best = tried.best.config.replace(limit=homework.data.limit, epochs=homework.training.epochs)
done = convlens.train(cifar10, best, run=lesson.place("homework-best"))
lesson.compare("CIFAR-10 homework, the searched one", done, data="cifar10")

# %%
try:
    began = time.perf_counter()
    grafted = convlens.Config().replace(backbone="efficientnet_lite0", size="64" if lesson.quick else "128",
                                        limit=300 if lesson.quick else None)  # fmt: skip
    done = convlens.train(cifar10, grafted, run=lesson.place("homework-frozen"))
    print(f"{time.perf_counter() - began:.0f} s from the images to the report")
    lesson.compare("CIFAR-10 homework, a frozen backbone", done, data="cifar10")
except convlens.ConvlensError as error:
    print(error)

# %% [markdown]
# 接下來輪到你：搜尋更久，或用 `convlens compare cifar10 --models small_resnet,resnet20` 換經典模型。
#
# Now it is your turn: search for longer, or try classic networks with `convlens compare cifar10
# --models small_resnet,resnet20`.

# %% [markdown]
# ## 結果 · Results

# %%
lesson.table()

# %% [markdown]
# # 004 貓狗、經典模型、遷移學習 · Cats and dogs, classic models, transfer learning
#
# 第 004 份講義最長：先用一個 9×9 的 X 把卷積網路手算一遍，再訓練一個分辨貓狗的網路，
# 然後介紹從 LeNet 到 DenseNet 的經典模型，最後借用別人訓練好的 VGG16。這一課依同樣的順序進行。
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
# 講義用 1 和 -1 畫 X，三個 3×3 濾鏡（左斜線、交叉、右斜線），每格的值是九個乘積的平均：
# 1 表示完全符合，-1 表示完全相反。左斜線的特徵圖，第 1 列第 1 欄（編號從 0 起）是 1：
# 那裡有一條完整的左斜線。
#
# The deck draws its X with 1 and -1 and uses three 3×3 filters: left diagonal, cross and right
# diagonal. Each cell is the mean of nine products: 1 is a perfect match, and -1 is the exact
# opposite. The feature map of the left diagonal has a 1 in row 1, column 1 (counted from 0), where
# there is a complete left diagonal.
#
# 勘誤：講義把 7/9 寫成 .77、5/9 寫成 .55，那是無條件捨去，不是四捨五入；表裡還有幾個印錯的數。下面用分數核對。
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
lesson.say("the feature map of the left diagonal, in ninths:")
print(ninths)
lesson.show(views.convolution_page(maps, list(NAMES), at=(1, 1)), "x9_convolution")

# %% [markdown]
# ## 變形的 X，同樣的濾鏡 · A changed X, the same filters
#
# 勘誤：講義的小結說，卷積能找出樣式，「不論它們是否被平移、縮放、歪斜、加粗」。只有平移是對的：
# 同一個濾鏡掃過整張影像，樣式移到哪裡，最大值就跟到哪裡。縮放、歪斜、加粗之後，同樣的濾鏡找不到完全符合的地方；
# 網路要在訓練時看過，才認得出來（第 001 課量過準確率下降多少）。下面列出三個濾鏡在整張影像中的最大值。
#
# Erratum: the deck's summary says that convolution finds a pattern no matter whether it is shifted,
# scaled, skewed or thickened. Only the shift is right: the filter moves over the whole image, and
# the maximum moves with the pattern. After scaling, skewing or thickening, the same filters find no
# perfect match; a network has to see such images in training (lesson 001 measures how much accuracy
# is lost). Below are the largest values of the three filters anywhere in the image.

# %%
rows, columns = np.indices((9, 9))
wide = np.pad(x9[..., 0], 9, constant_values=-1)  # -1 outside of the image


def take(rows, columns):
    return wide[rows + 9, columns + 9][..., None]


changed_x = {
    lesson.text("the X"): x9,
    lesson.text("shifted"): take(rows, columns - 1),
    lesson.text("enlarged"): take(4 + (rows - 4) // 2, 4 + (columns - 4) // 2),
    lesson.text("skewed"): take(rows, columns + (rows - 4) // 2),
    lesson.text("thickened"): np.maximum(x9, take(rows, columns - 1)),
}
largest = []
for name, image in changed_x.items():
    values = arithmetic.convolve(image, kernel, mean=True).output.max(axis=(0, 1))
    largest.append([round(9 * value) for value in values])  # in ninths
    lesson.say(
        "{name}: left diagonal {left}/9, cross {cross}/9, right diagonal {right}/9",
        name=name,
        left=largest[-1][0],
        cross=largest[-1][1],
        right=largest[-1][2],
    )
assert largest[1] == largest[0] == [9, 9, 9]  # a shift changes nothing but the place
assert all(max(values) < 9 for values in largest[2:])
lesson.show(
    plots.show_images(
        [np.uint8(127.5 * (image[..., 0].astype(float) + 1)) for image in changed_x.values()],
        range(5),
        class_names=list(changed_x),
        columns=5,
    ),
    "x9_changed",
)

# %% [markdown]
# ## ReLU、池化、展平 · ReLU, pooling, flatten
#
# 勘誤：講義說 ReLU 是因為「機率不能是負的」。特徵圖的值不是機率，是相似程度；ReLU 保留「符合這個樣式」的值，
# 去掉「與它相反」的值，並讓整個網路不再只是線性的。
#
# Erratum: the deck says that ReLU is there because a probability cannot be negative. The values
# of a feature map are not probabilities, but similarities; ReLU keeps "the pattern is here" and
# drops "its opposite is here". It also makes a stack of layers more than a single linear map.
#
# 7×7 的特徵圖池化成 4×4（最後一列與最後一欄的視窗不完整，講義仍然保留），再池化成 2×2，
# 三張特徵圖展平成 12 個數。
#
# The 7×7 map is pooled to 4×4, where the deck keeps the incomplete windows at the edge, and then
# to 2×2; the three maps are flattened to 12 numbers.

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
lesson.say("12 numbers: {numbers}", numbers=" ".join(map(str, row_of_numbers)))
lesson.show(
    views.recognition_page(x9, [(name, convlens.get_filter(name)[..., 0]) for name in NAMES]),
    "x9_recognition",
)

# %% [markdown]
# 講義把三張 2×2 的特徵圖一張接一張排成 12 個數。Keras 的展平層順序不同：先走完同一格的三個通道，
# 再走下一格。順序不影響學習，但自己驗算時要留意。下圖是講義的順序。
#
# The deck puts the three maps of 2×2 one after the other into 12 numbers. The flatten layer of Keras
# takes another order: all three channels of a cell, and then the next cell. The order does not
# matter for learning, but one has to know it to check the numbers. The figure has the deck's order.

# %%
assert arithmetic.flatten(twice).tolist() == twice.ravel().tolist()  # the order of Keras
lesson.show(plots.show_flatten(twice, channel_by_channel=True), "flatten")

# %% [markdown]
# ## 最大、平均、最小池化 · Max, average and min pooling
#
# 同樣 4×4 的特徵圖，三種池化保留的不一樣：最大池化保留突出的值，平均池化把它沖淡，最小池化保留背景。
#
# The three kinds of pooling keep different things of the same 4×4 map: max pooling keeps what
# stands out, average pooling dilutes it, and min pooling keeps the background.
#
# 勘誤：講義說池化「在不損失特徵的情況下，降低維度」。2×2 的池化把四個值變成一個，一定有損失：
# 最大池化忘了最大值在視窗的哪一格，其他三個值也不見了。下面把每個視窗裡的值左右對調，池化的結果完全相同。
# 這種損失往往是好的，因為樣式移動一格，結果多半不變；但它是損失。
#
# Erratum: the deck says that pooling reduces the dimension without losing features. A 2×2 pooling
# makes one value of four, so something is lost: max pooling forgets where in the window the maximum
# was, and the other three values are gone. Below, the values in each window change places, and the
# result is the same. Such a loss is often useful, as the result mostly stays the same if a pattern
# moves by one pixel, but it is a loss.

# %%
four = convlens.get_image("pool-004")
for kind in ("max", "average", "min"):
    print(f"{kind:8}", arithmetic.pool(four, 2, kind=kind).output[..., 0].astype(float).tolist())
assert arithmetic.pool(four, 2).output[..., 0].tolist() == [[7, 9], [8, 4]]
mirrored = four[:, [1, 0, 3, 2]]  # each window from right to left
assert (arithmetic.pool(mirrored, 2).output == arithmetic.pool(four, 2).output).all()
lesson.say("two different maps with the same max pooling:")
print(four[..., 0].astype(int).tolist(), mirrored[..., 0].astype(int).tolist(), sep="\n")
lesson.show(views.pooling_page(arithmetic.pool(four, 2, kind="average"), at=(0, 1)), "pooling")

# %% [markdown]
# ## 全連接層回答：.91 與 .09 · A dense layer answers: .91 and .09
#
# 講義接著讓全連接層回答「X .91、O .09」，但沒有列出權重。所以這裡自己訓練：輸入 X 與 O 各 12 個數，
# 權重從 0 開始逐步更新，直到 X 的機率達到 .91。
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
lesson.say(
    "after {steps} steps, the probability of an X is {x:.3f} for the X and {o:.3f} for the O",
    steps=steps,
    x=answers[0, 0],
    o=answers[1, 0],
)
opened = arithmetic.dense(given[0], weights, activation="softmax")
for unit, name in enumerate("XO"):
    terms = " ".join(f"{product:+.3f}" for product in opened.products[:, unit])
    print(f"{name}: {terms} = {opened.sums[unit]:+.3f} -> {opened.output[unit]:.3f}")
letters = [np.uint8(127.5 * (one[..., 0].astype(float) + 1)) for one in (x9, o9)]
lesson.show(plots.show_images(letters, [0, 1], class_names=["X", "O"], columns=2), "x_and_o")

# %% [markdown]
# 何時適合用 CNN，見第 001 課；超參數有哪些，見第 002 課。
#
# Lesson 001 explains when a CNN is suitable, and lesson 002 which hyper-parameters there are.

# %% [markdown]
# ## 貓與狗：載入資料 · Cats and dogs: load the photographs
#
# 每個類別一個資料夾，照片大小不一，要先調整成同樣的大小（64×64），像素再除以 255。
# 講義連結的檔案有 2,000 張訓練照片與 1,000 張測試照片，印出來的紀錄卻是 8,000 張與 2,000 張；
# 所以結果只能粗略比較。
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
lesson.say("classes: {names}", names=", ".join(photographs.class_names))
print("x_train", x_train.shape, " x_test", x_test.shape)
lesson.say(
    "images of each class: {train} to train on, {test} to test",
    train=np.bincount(y_train).tolist(),
    test=np.bincount(y_test).tolist(),
)
mixed = np.random.default_rng(4).permutation(len(x_train))[:16]
lesson.show(
    plots.show_images(x_train[mixed], y_train[mixed], class_names=photographs.class_names),
    "photographs",
)

# %% [markdown]
# ## 資料增強 · Augmentation
#
# 照片隨機錯切（最多 10 度）、放大縮小（最多 0.2）、左右翻轉，所以每個回合看到的都稍有不同。
#
# The photographs are sheared by up to 10 degrees, zoomed by up to 0.2 and mirrored: each of them
# looks a little different in every epoch.
#
# 勘誤：講義的驗證集和訓練集出自同一個產生器，所以驗證的照片也被增強了。驗證是要估計對真正的照片有多準確，
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
# 三組「卷積（32、64、128 個濾鏡）、丟棄、池化」，展平成 8,192 個數，接著是 512 個神經元的全連接層，
# 最後是一個使用 sigmoid 的神經元：輸出小於 .5 是貓，否則是狗。
#
# There are three groups of "convolution (32, 64, 128), dropout, pooling", a flatten layer with
# 8,192 values, 512 neurons, and one neuron with a sigmoid: below .5 is a cat, otherwise it is a
# dog.
#
# 勘誤：講義說卷積層有 93,221 個參數，正確是 93,248 個（2.17 %）；全連接層占 97.83 %。
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
lesson.say(
    "convolutions: {count:,} parameters, {share:.2%}; dense layers: {rest:.2%}",
    count=convolutions,
    share=convolutions / 4_288_577,
    rest=1 - convolutions / 4_288_577,
)
lesson.show(plots.show_path(network), "cats_dogs_path")

# %% [markdown]
# ## 訓練，並用 TensorBoard 觀察 · Train, and follow in TensorBoard
#
# 用 Adam，批次大小 10，訓練 25 個回合，四分之一的影像作驗證。`tensorboard=True` 會寫下每個回合的數字、
# 權重的直方圖與計算圖；另開一個終端機，輸入 `tensorboard --logdir` 與資料夾，就能觀察。
#
# We use Adam, batches of 10, 25 epochs, and a quarter of the images for validation.
# `tensorboard=True` writes the numbers of each epoch, histograms of the weights and the graph. To
# see them, type `tensorboard --logdir` and the folder in another terminal.

# %%
run = convlens.train(photographs, config, run=lesson.place("cats_dogs"))
lesson.compare(lesson.text("cats and dogs, three convolutions"), run, data="cats_dogs", deck=0.8030)
written = [path for path in (run.folder / "tensorboard").rglob("*") if path.is_file()]
lesson.say("files for TensorBoard: {count}; see them with", count=len(written))
print(f"tensorboard --logdir {run.folder / 'tensorboard'}")

# %% [markdown]
# 完整執行時，2,000 張測試照片的準確率是 72.25 % [70.25, 74.17]。README 裡同一個網路是 76.05 %，
# 因為那裡用 convlens 的預設值：學習率先升後降（one-cycle），資料增強較輕，五分之一的影像作驗證。
# 這裡照講義訓練：學習率固定，錯切、放大縮小加翻轉，四分之一作驗證。
#
# The full run classifies 72.25 % [70.25, 74.17] of 2,000 test photographs correctly. The README has
# 76.05 % for the same network, because it uses the defaults of convlens there: the learning rate
# rises and then falls (one-cycle), the augmentation is lighter, and a fifth of the images is used
# for validation. Here it is trained as in the deck: with a constant learning rate, with shear, zoom
# and mirroring, and with a quarter for validation.

# %% [markdown]
# ## 幾個回合才合適 · How many epochs are right
#
# 要看驗證曲線，而不是訓練曲線：訓練準確率會持續上升，驗證準確率升到某處就停了，驗證損失甚至開始上升。
# 停下來的地方就是合適的回合數。
#
# Look at the validation curve, not at the training curve: the training accuracy keeps rising, while
# the validation accuracy stops rising somewhere, and its loss may even turn upwards. The right
# number of epochs is where it stops.

# %%
history = run.history
best = max(history, key=lambda row: row["val_accuracy"])
least = min(history, key=lambda row: row["val_loss"])
last = history[-1]
if lesson.stands_in("cats_dogs"):
    lesson.say(
        "{count} epochs on digits do not show this. The log that the deck prints does: from epoch 19 to 25 the "
        "training accuracy rises from 80.8 % to 85.3 %, while the validation accuracy stays between 76.2 % and 78.7 %.",
        count=len(history),
    )
else:
    lesson.say(
        "the validation accuracy is highest after epoch {best:.0f}, the validation loss is lowest after epoch {least:.0f}",
        best=best["epoch"],
        least=least["epoch"],
    )
    if best["epoch"] == last["epoch"]:
        lesson.say("the last epoch was the best, so more epochs may still help: try more")
    else:
        lesson.say(
            "epoch {best:.0f} was enough: by the last one, the training accuracy changed by {training:+.1%}, "
            "the validation accuracy by {validation:+.1%} and the validation loss since its lowest by {loss:+.3f}",
            best=best["epoch"],
            training=last["accuracy"] - best["accuracy"],
            validation=last["val_accuracy"] - best["val_accuracy"],
            loss=last["val_loss"] - least["val_loss"],
        )
lesson.say(
    "convlens keeps the best epoch by itself; --patience 5 stops after five without a better one"
)
lesson.show(plots.show_history(history), "cats_dogs_history")

# %% [markdown]
# ## 預測，影像與答案要對得上 · Predict, with images and answers that belong together
#
# 勘誤：講義先 `predict(test_set)`，再從 `test_set` 取一遍影像；可是這個產生器每一遍都重新打亂順序，
# 所以畫出來的照片配的是別張照片的預測。下面比較順序正確與打亂之後的準確率。
#
# Erratum: the deck calls `predict(test_set)` and then goes through `test_set` again for the images;
# but that generator reshuffles each time, so the images are shown beside the predictions of other
# images. Below is the accuracy in the right order, and after reshuffling.

# %%
classifier = run.classifier()
probabilities = classifier.probabilities(x_test)
predicted = probabilities.argmax(axis=1)
reshuffled = np.random.default_rng(0).permutation(len(y_test))
lesson.say("in order: {score}", score=metrics.accuracy(y_test, predicted))
lesson.say("reshuffled: {score}", score=metrics.accuracy(y_test[reshuffled], predicted))
lesson.say("confusion matrix, a row for each true class:")
print(metrics.confusion_matrix(y_test, predicted, 2))
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
# 把 `own` 換成自己的檔名。convlens 的分類器帶著前處理（大小、通道、除以 255），所以只要給它檔案。
#
# Put the name of your own file in `own`. A classifier of convlens contains its preprocessing (size,
# channels and the division by 255), so it is enough to give it the file.
#
# 勘誤：講義的遷移學習程式預測自己的照片時沒有除以 255，網路卻是用除過的像素訓練的。
# （第一個貓狗程式有除。）下面用這種方式預測整個測試集，看準確率變成多少。
#
# Erratum: the transfer learning program of the deck does not divide one's own photograph by 255,
# although its network was trained on divided pixels. (Its first program for cats and dogs does.)
# Below, the whole test set is predicted in that way, to see what happens to the accuracy.

# %%
own = lesson.place("own.png")
Image.fromarray(x_test[0]).resize((200, 160)).save(own)
answer = classifier.predict(own)[0]
lesson.say(
    "{file}: {label} with probability {probability:.1%}; it is {truth}",
    file=own.name,
    label=answer.label,
    probability=answer.probability,
    truth=classifier.class_names[y_test[0]],
)
if not answer.known:
    lesson.say("this probability is below the threshold: none of these classes")

bare = convlens.create_model("cats_dogs_3conv", input_shape=(side, side, 3))
bare.set_weights(classifier.model.get_weights())  # the same network without its preprocessing
for name, scale in ((lesson.text("divided by 255"), 1 / 255), (lesson.text("not divided"), 1.0)):
    logits = bare.predict(x_test.astype("float32") * scale, verbose=0, batch_size=100)[:, 0]
    logits = logits.astype("float64")
    lesson.say(
        "{name}: accuracy {accuracy}, loss {loss:.2f}; mean probability of the predicted class {certain:.1%}; "
        "{share:.0%} predicted as {label}",
        name=name,
        accuracy=metrics.accuracy(y_test, (logits >= 0).astype(int)),
        loss=np.mean(np.logaddexp(0, np.where(y_test == 1, -logits, logits))),
        certain=np.mean(1 / (1 + np.exp(-np.abs(logits)))),
        share=np.mean(logits >= 0),
        label=classifier.class_names[1],
    )

# %% [markdown]
# 為什麼答案常常沒變？只有 ReLU、沒有偏差的網路，輸入放大 255 倍，輸出也只是放大 255 倍，正負號不變。
# 先受影響的是機率：每張影像都「幾乎百分之百確定」，答錯的也是，所以損失很大。偏差的作用也變得微不足道，
# 答案因此仍可能改變。
#
# Why do the predictions often stay the same? A network of ReLUs without biases gives 255 times the
# output for 255 times the input, with the same sign. The probabilities suffer first: the network is
# almost certain of every image, also of its mistakes, and so the loss is large. The biases become
# negligible, too, so predictions may change after all.

# %% [markdown]
# ## 儲存與載入，一個開關 · Save and load, with a switch
#
# 訓練很花時間，所以訓練一次就存檔，下次直接載入。講義用一個變數當開關；更簡單的做法是檢查檔案在不在。
# `.h5` 是舊格式，現在用 `.keras`。
#
# Training takes a long time, so train once, save the network, and load it the next time. The deck
# uses a variable as a switch; it is simpler to check whether the file exists. `.h5` is the old
# format; today it is `.keras`.

# %%
model_file = lesson.place("switch.keras")


def trained_or_loaded():
    if model_file.exists():
        return keras.models.load_model(model_file), lesson.text("loaded")
    small = keras.Sequential(
        [keras.Input(x_train.shape[1:]), layers.Rescaling(1 / 255), layers.Conv2D(8, 3, 2, activation="relu"),
         layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid")]
    )  # fmt: skip
    small.compile("adam", "binary_crossentropy")
    small.fit(x_train, y_train, epochs=1, verbose=0)
    small.save(model_file)
    return small, lesson.text("trained and saved")


answers = []
for _ in range(2):
    began = time.perf_counter()
    small, how = trained_or_loaded()
    lesson.say("{how} in {seconds:.2f} s", how=how, seconds=time.perf_counter() - began)
    answers.append(small.predict(x_test[:50], verbose=0))
assert np.array_equal(*answers)
# A classifier of convlens opens in plain Keras, too.
opened = keras.models.load_model(run.classifier_path)
lesson.say("the answers are the same; and plain Keras opens {file}:", file=run.classifier_path.name)
print(opened.input_shape, "->", opened.output_shape)

# %% [markdown]
# ## 搜尋超參數 · Search for hyper-parameters
#
# 講義請大家用 TensorBoard 的 HParams 自己試。convlens 用 Optuna 搜尋：嘗試多組設定，提早停止表現差的試驗，
# 寫出 HParams 頁面，最後說明第一名與第二名是否真的分得出高下。
# 指令是 `convlens search 資料夾 --trials 20 --vary dropout=0..0.5`。
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
if lesson.stands_in("cats_dogs"):
    lesson.say("these settings are best for a few digits; on photographs others may be")
lesson.show(found.chart(), "search")

# %% [markdown]
# ## 經典模型：先看一張表 · The classic models: a table first
#
# 下面每個模型都問同樣的問題：帶來什麼、優點、缺點、何時用、何時不用。數字不用背：
# `convlens models` 列出全部，`convlens summary vgg16` 逐層列出，`convlens compare --published` 列出準確率與出處。
#
# For each model below we ask the same questions: what it brought, its strengths and weaknesses, and
# when to use it and when not. There is no need to remember the numbers: `convlens models` lists all
# models, `convlens summary vgg16` shows the layers, and `convlens compare --published` gives
# accuracies and their sources.
#
# 年份是論文公開的年份：從 VGG 以後都是放上 arXiv 的年份，NiN 也是（2013 年 12 月）。講義寫的多半也是，
# 只有 NiN 寫 2014、Xception 寫 2017，那是研討會發表的年份。
#
# The years are those in which the papers became public: on arXiv from VGG on, and for NiN
# (December 2013). Most years in the deck are these, too, but 2014 for NiN and 2017 for Xception
# are those of the conferences.

# %%
CLASSICS = (
    "lenet5", "lenet_sigmoid", "alexnet", "alexnet_2towers", "vgg11", "vgg11_lrn", "vgg13", "vgg16_1x1", "vgg16", "vgg19",
    "nin_imagenet", "googlenet", "inception_v2", "inception_v3", "inception_v4", "inception_resnet_v2", "xception", "resnet34",
    "resnet50", "resnet101", "resnet152", "densenet121", "densenet169", "densenet201",
)  # fmt: skip
lesson.say("model, year, input, parameters, multiply-adds, published top-1 accuracy on ImageNet:")
for name in CLASSICS:
    info = convlens.model_info(name)
    top = f"{published.PUBLISHED[name].top_1:.1%}" if name in published.PUBLISHED else ""
    shape = "x".join(map(str, info.input_shape))
    print(
        f"{name:20} {info.year}  {shape:>11}  {info.num_params:>11,}  {info.multiply_adds:>14,}  {top}"
    )

# %% [markdown]
# ## LeNet：確立卷積網路的形式（1998） · LeNet: the form of convolutional networks (1998)
#
# - **帶來什麼**：確立卷積網路的基本形式：只看局部、共用權重、特徵圖越來越小，特徵與分類器一起訓練。
# - **優點**：小、快，每個數字都能追溯。
# - **缺點**：平均池化沖淡突出的特徵。講義的版本用 sigmoid（論文是 tanh），它的斜率最大只有 1/4，
#   每多一層就再乘一次，梯度很快就消失。
# - **何時用**：小的灰階影像、作為比較基準，或想了解歷史。
# - **何時不用**：比 32×32 大得多的照片：兩次池化之後，一個值只看得到 16×16 個像素。
#
# * **What it brought**: the form of convolutional networks: they look at local patches, share
#   weights and shrink the feature maps, and the features and the classifier are learned together.
# * **Strengths**: it is small and fast, and every number can be traced.
# * **Weaknesses**: average pooling dilutes what stands out. The deck's version has sigmoids (the
#   paper has tanh), whose slope is at most 1/4; each layer multiplies by it once more, so that the
#   gradient soon vanishes.
# * **Use it** for small grey images, as a baseline, or to look back at history.
# * **Do not use it** for images much larger than 32×32: after two poolings, a value sees only 16×16
#   pixels.
#
# 勘誤：講義說 LeNet（1998）是最早的 CNN。福島邦彥的 neocognitron（1980）與 LeCun 自己辨認郵遞區號的網路（1989）
# 都比它早；LeNet-5 是確立形式、廣為人知的那一個。
#
# Erratum: the deck calls LeNet (1998) the earliest CNN. Fukushima's neocognitron (1980) and LeCun's
# own network that read postcodes (1989) were earlier; LeNet-5 settled the form and became well
# known.
#
# 講義的 LeNet（`lenet_sigmoid`）用 SGD 訓練，批次大小 32，20 個回合，權重的初始值是 ±0.05 之間的均勻分布。
# 照這樣訓練，準確率會先停在亂猜的水準：梯度一層一層變小，前面的層幾乎學不動。停多久取決於學習率：
# Keras 的 SGD 預設是 0.01，下面再試 0.05。這不是講義的錯誤，而是梯度消失的實例。
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
for rate in (0.05,) if lesson.quick else (0.01, 0.05):
    plateau = convlens.train(
        lesson.data("mnist"), recipe.replace(learning_rate=rate), run=lesson.place("lenet_sigmoid")
    )
    values = [row["val_accuracy"] for row in plateau.history]
    plateaus[f"{rate}"] = (range(1, len(values) + 1), values)
    if lesson.quick:
        continue  # too short for a result
    lesson.compare(
        lesson.text("LeNet with sigmoids, learning rate {rate}", rate=rate), plateau, data="mnist"
    )
    above = next((epoch for epoch, value in enumerate(values) if value > 0.2), None)
    if above is None:
        lesson.say(
            "learning rate {rate}: the validation accuracy stayed below 20 % in all {count} epochs",
            rate=rate,
            count=len(values),
        )
    else:
        lesson.say(
            "learning rate {rate}: the validation accuracy was below 20 % for {count} epochs, then rose to {value:.1%}",
            rate=rate,
            count=above,
            value=values[-1],
        )
if lesson.quick:
    lesson.say(
        "{count} epochs are too few to see the plateau end. The full run (60,000 digits, 20 epochs, seed 0) got "
        "11.35 % of 10,000 test digits with learning rate 0.01, still at chance, and 94.50 % with 0.05.",
        count=len(values),
    )
figure = plots.show_lines(
    {"lenet_sigmoid": plateaus},
    across=lesson.text("epoch"),
    up=lesson.text("validation accuracy"),
    percent=True,
)
lesson.show(figure, "lenet_plateau")

# %% [markdown]
# ## 梯度消失：sigmoid 對 ReLU，以及初始權重 · Vanishing gradients: sigmoid against ReLU, and the initial weights
#
# 同一個 LeNet，一次只改一項：活化函數（sigmoid 或 ReLU）、池化（平均或最大）、
# 初始權重（±0.05 的均勻分布，或 Glorot：每層的範圍依輸入與輸出的個數決定）。兩種活化函數都試 Glorot，
# 才知道差別來自活化函數還是初始權重。先看訓練開始時，損失對每一層權重的梯度有多大（均方根）；
# 再看每個回合的準確率。
#
# We take the same LeNet and change one thing at a time: the activation (sigmoid or ReLU), the
# pooling (average or max), and the initial weights (uniform within ±0.05, or Glorot's, whose range
# follows from the numbers of inputs and outputs of a layer). Both activations are tried with
# Glorot's weights; otherwise we could not know whether the activation or the initial weights make
# the difference. First we see how large the gradients of the loss are at the start for the weights
# of each layer (root mean square), and then the accuracy after every epoch.

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
    "sigmoid, average": ("sigmoid", "average"),  # the deck's
    "sigmoid, max": ("sigmoid", "max"),
    "sigmoid, max, Glorot": ("sigmoid", "max", "glorot_uniform"),
    "ReLU, average": ("relu", "average"),
    "ReLU, max": ("relu", "max"),
    "ReLU, max, Glorot": ("relu", "max", "glorot_uniform"),
}
at_start = {}
lesson.say("gradients at the start of conv1, conv2, dense and logits; conv1 against logits:")
for name, kind in KINDS.items():
    sizes = gradient_sizes(lenet(*kind), x_few[:200], y_few[:200])
    at_start[name] = (range(1, 5), sizes)
    print(f"{name:20} {' '.join(f'{size:.1e}' for size in sizes)}  {sizes[0] / sizes[-1]:.3g}")


def panels_of(lines):
    """Return a panel for each activation, with the lines of its networks."""
    return {
        activation: {
            name.removeprefix(f"{activation}, "): line
            for name, line in lines.items()
            if name.startswith(activation)
        }
        for activation in ("sigmoid", "ReLU")
    }


figure = plots.show_lines(
    panels_of(at_start),
    across=lesson.text("layer: 1 conv1, 2 conv2, 3 dense, 4 logits"),
    up=lesson.text("root mean square of the gradients"),
    log=True,
)
for axes in figure.axes:
    axes.set_ylim(1e-5, 1e-1)
lesson.show(figure, "gradients_by_layer")

# %%
curves = {}
for name, kind in KINDS.items():
    if lesson.quick and "Glorot" not in name:
        continue  # with few steps, the others stay at chance
    net = lenet(*kind)
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
    curves[name] = (range(1, passes + 1), fitted.history["val_accuracy"])
    lesson.say(
        "{name}: accuracy {accuracy:.1%} of {n:,} new digits after {epochs} epochs",
        name=name,
        accuracy=curves[name][1][-1],
        n=len(y_new),
        epochs=passes,
    )
if lesson.quick:
    lesson.say(
        "The full run (10,000 digits to train on, 10 epochs, n = 2,000 new digits, seed 1, max pooling): sigmoid "
        "12.0 % from weights within 0.05 and 10.1 % from Glorot's, both at chance; ReLU 91.9 % and 95.6 %. So here the "
        "activation decides, and Glorot's weights only make ReLU faster."
    )
else:
    learned = [name for name, (_, values) in curves.items() if values[-1] > 0.5]
    rest = [name for name in curves if name not in learned]
    lesson.say("above 50 %: {names}", names="; ".join(learned) or "-")
    lesson.say("not above 50 %: {names}", names="; ".join(rest) or "-")
figure = plots.show_lines(
    panels_of(curves), across=lesson.text("epoch"), up=lesson.text("accuracy"), percent=True
)
for axes in figure.axes:
    axes.set_ylim(0, 1)
lesson.show(figure, "sigmoid_against_relu")

# %% [markdown]
# ## AlexNet：深度網路贏得 ImageNet 競賽（2012） · AlexNet: a deep network wins ImageNet (2012)
#
# - **帶來什麼**：首次在這樣的規模結合 ReLU、丟棄、資料增強與重疊的池化（3×3 的視窗、步幅 2），
#   用兩張顯示卡訓練 120 萬張照片；贏得 2012 年的 ImageNet 競賽。
# - **優點**：層數少，每一層都容易理解。
# - **缺點**：三個全連接層占了九成多的參數，影像越大越多；第一層的步幅是 4，會失去細節。
# - **何時用**：想了解丟棄與 ReLU 帶來的改變時。
# - **何時不用**：其他情況：ResNet 的參數更少，準確率更高。
#
# * **What it brought**: it was the first to combine ReLU, dropout, augmentation and overlapping
#   pooling (3×3 windows with strides of 2) at this scale: 1.2 million photographs and two graphics
#   cards; it won ImageNet in 2012.
# * **Strengths**: it has few layers, and each of them can be understood.
# * **Weaknesses**: the three dense layers have more than nine tenths of the parameters, and grow
#   with the image; the first layer has strides of 4 and loses detail.
# * **Use it** to see what dropout and ReLU changed.
# * **Do not use it** otherwise: a ResNet has fewer parameters and is more accurate.
#
# 勘誤：講義說 AlexNet 提出資料擴張與丟棄層。丟棄是 Hinton 等人同一年稍早提出的（arXiv:1207.0580），
# ReLU 用在神經網路是 2010 年（Nair、Hinton），LeNet-5 的論文（1998）已經用變形的影像增加訓練資料。
# AlexNet 的貢獻是首次在這樣的規模把它們結合起來。
#
# Erratum: the deck says that AlexNet introduced augmentation and dropout. Dropout was introduced by
# Hinton et al. earlier in the same year (arXiv:1207.0580), ReLUs by Nair and Hinton in 2010, and
# the paper of LeNet-5 (1998) already trained on distorted copies. AlexNet first combined them at
# this scale.
#
# 影像的邊長是 227：論文寫 224，但是 11×11 的卷積核、步幅 4，由 224 得不到 55。
#
# Its images are 227 pixels wide: the paper says 224, but 11×11 windows with strides of 4 do not
# give 55 from 224.

# %%
for side_of_image in (227, 224):
    print(f"{side_of_image}:", convlens.sizes.lay_windows(side_of_image, 11, 4, "valid").formula)
alexnet = convlens.create_model("alexnet")
assert alexnet.count_params() == 62_378_344
in_dense = sum(layer.count_params() for layer in alexnet.layers if isinstance(layer, layers.Dense))
lesson.say(
    "the dense layers have {part:,} of {total:,} parameters, {share:.1%}",
    part=in_dense,
    total=alexnet.count_params(),
    share=in_dense / alexnet.count_params(),
)
del alexnet

# %% [markdown]
# ## VGG：只用 3×3，以區塊堆疊（arXiv 2014） · VGG: 3×3 only, block by block (arXiv 2014)
#
# - **帶來什麼**：只用 3×3 卷積和 2×2 池化，以區塊堆疊（講義的「VGG 組件」）；
#   兩個 3×3 卷積的感受野與一個 5×5 相同，權重卻是 18 個而不是 25 個，還多一次 ReLU。
# - **優點**：規則簡單，容易修改，特徵也適合用在別的任務。
# - **缺點**：光是第一個全連接層就有 102,764,544 個參數；計算量大；沒有批次正規化，訓練初期很慢。
# - **何時用**：教學，或用訓練好的權重擷取特徵。
# - **何時不用**：照片少又要從頭訓練，或時間、記憶體不夠。
#
# * **What it brought**: only 3×3 convolutions and 2×2 poolings, block by block (the VGG block); two
#   3×3 convolutions see as much as one 5×5 convolution, with 18 weights instead of 25 and one more
#   ReLU.
# * **Strengths**: its rule is simple, it is easy to change, and its features are useful for other
#   tasks.
# * **Weaknesses**: the first dense layer alone has 102,764,544 parameters; it needs much
#   arithmetic; without batch normalisation it starts slowly.
# * **Use it** to teach, or with trained weights for its features.
# * **Do not use it** to train from scratch on few images, or if time or memory is short.

# %%


def measured(name):
    text, width, channels, bias, what = stacks.STACKS[name]
    return lesson.text(what), stacks.measure(stacks.read_layers(text), width, channels, bias=bias)


for what, rows in (measured("five"), measured("two-threes")):
    lesson.say(
        "{what}: sees {side} x {side} pixels, {count} weights",
        what=what,
        side=rows[-1].field,
        count=sum(row.params.value for row in rows),
    )
assert [sum(row.params.value for row in measured(name)[1]) for name in ("two-threes", "five")] == [
    18,
    25,
]
lesson.show(
    views.sizes_page([measured("five"), measured("two-threes")], "5 x 5"), "five_and_two_threes"
)

# %%


def vgg_block(filters, convs):
    return [
        *(layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(convs)),
        layers.MaxPooling2D(2),
    ]


first_block = keras.Sequential([keras.Input((224, 224, 3)), *vgg_block(64, 2)])
body = keras.Sequential([keras.Input((224, 224, 3)), *vgg_block(64, 2), *vgg_block(128, 2), *vgg_block(256, 3),
                         *vgg_block(512, 3), *vgg_block(512, 3)])  # fmt: skip
assert body.count_params() == 14_714_688  # VGG16 without its top
lesson.show(plots.show_block(first_block), "vgg_block")

# %% [markdown]
# A 到 E 是論文表 1 的配置：同樣的區塊，卷積層越來越多。C 的每個大區塊多一個 1×1 卷積，D（VGG16）把它換成 3×3。
#
# A to E are the configurations of the paper's table 1: the same blocks with more and more
# convolutions. C has an additional 1×1 convolution in each of the last three blocks, and D (VGG16)
# has a 3×3 one there.

# %%
NAMES_OF_VGG = {
    "A": "vgg11",
    "A-LRN": "vgg11_lrn",
    "B": "vgg13",
    "C": "vgg16_1x1",
    "D": "vgg16",
    "E": "vgg19",
}
lesson.say("configuration, model, parameters:")
for letter, name in NAMES_OF_VGG.items():
    print(f"{letter:6} {name:10} {convlens.model_info(name).num_params:>12,}")
lesson.show(plots.show_vgg(), "vgg_table")

# %% [markdown]
# ## NiN（arXiv 2013）：1×1 卷積與全域平均池化 · NiN (arXiv 2013): the 1×1 convolution and global average pooling
#
# - **帶來什麼**：1×1 卷積，等於在每個像素上放一個小的全連接層，混合各通道，也能增減通道數；
#   全域平均池化把一張特徵圖變成一個數，取代參數最多的全連接層。
# - **優點**：參數少，影像大小不限，每個類別的特徵圖可以直接觀察。
# - **缺點**：十幾層沒有正規化也沒有捷徑，訓練很久仍停在亂猜的水準。
# - **何時用**：檔案要小、時間充裕，或想了解這兩種做法時。
# - **何時不用**：需要很快訓練好的時候；後來的網路也有這兩種做法，而且有正規化。
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
#
# 勘誤：講義說一般的卷積只萃取同一個通道（R、G 或 B）的特徵，1×1 卷積才跨通道。一般的卷積本來就把所有通道加在一起，
# 講義在 Xception 那一頁也是這樣算的：3×3×RGB，一個濾鏡 27 個權重。1×1 卷積的特點是只混合通道、不看鄰近的像素。
#
# Erratum: the deck says that an ordinary convolution extracts features of one channel (R, G or B)
# only, and that the 1×1 convolution goes across the channels. An ordinary convolution adds up all
# channels, as the deck itself counts for Xception: 3×3×RGB, 27 weights in a filter. What is special
# about a 1×1 convolution is that it mixes channels without looking at neighbouring pixels.

# %%
colours = np.array([[[1, 0], [0, 2]], [[3, 1], [2, 2]]])  # 2 x 2 pixels of 2 channels
mixing = np.array([[1, 2, -1], [1, 0, 1]]).reshape(1, 1, 2, 3)
mixed_channels = arithmetic.convolve(colours, mixing).output
assert (mixed_channels == colours @ mixing[0, 0]).all()  # a dense layer at every pixel
lesson.say("1x1 convolution from 2 channels to 3:")
print(mixed_channels.astype(int).tolist())
lesson.say(
    "global average of the 3 maps: {averages}",
    averages=" ".join(map(str, arithmetic.global_average(mixed_channels))),
)
assert convlens.create_model("nin").count_params() == 2_015_398
assert convlens.create_model("nin", input_shape=(224, 224, 1)).count_params() == 1_992_166
for name in ("nin_imagenet", "alexnet_2towers"):
    lesson.say(
        "{name}: {count:,} parameters for 1,000 classes, published accuracy {accuracy:.1%}",
        name=name,
        count=convlens.model_info(name).num_params,
        accuracy=published.PUBLISHED[name].top_1,
    )
lesson.show(plots.show_pointwise(colours, mixing, at=(1, 0), filter_number=2), "pointwise")

# %% [markdown]
# ## GoogLeNet（arXiv 2014）：Inception 與串接 · GoogLeNet (arXiv 2014): Inception and concatenation
#
# - **帶來什麼**：不知道 1×1、3×3、5×5 哪個好，就全部都用，再把結果串接起來；計算量大的卷積之前，
#   先用 1×1 卷積減少通道。講義的模組因此從 403,424 個參數降到 122,064 個。
# - **優點**：參數是 VGG11 的十九分之一，公布的準確率差不多（68.7 % 對 69.0 %）。
# - **缺點**：各分支的濾鏡數沒有規則，網路不容易放大或縮小；沒有批次正規化，所以需要輔助的分類層。
# - **何時用**：複雜的照片、計算量有限；實務上用 v2 或 v3。
# - **何時不用**：想自己改架構的時候。
#
# * **What it brought**: since it is not known whether 1×1, 3×3 or 5×5 is best, it computes all of
#   them and concatenates the results; a 1×1 convolution before those with much arithmetic reduces
#   the channels. So the deck's module goes from 403,424 parameters to 122,064.
# * **Strengths**: it has a nineteenth of the parameters of VGG11 at about the same published
#   accuracy (68.7 % against 69.0 %).
# * **Weaknesses**: its numbers follow no rule, so it is hard to make larger or smaller; without
#   batch normalisation it needs auxiliary heads.
# * **Use it**, or rather v2 or v3, for difficult photographs if the arithmetic is limited.
# * **Do not use it** if you want to change the architecture.
#
# 勘誤：講義說「橫向架構」（並排的分支）比縱向架構更能削減參數。並排本身一個參數也不省：
# 還沒有 1×1 卷積時，三個卷積分支一共 224 個濾鏡，403,424 個參數，正好等於一個 3×3、224 個濾鏡的卷積層。
# 省參數的是 1×1 卷積：先把通道變少，後面的 3×3 與 5×5 才變小。
#
# Erratum: the deck says that branches side by side save parameters in comparison with layers one
# after the other. In themselves, they save none: without the 1×1 convolutions in front, the three
# branches with convolutions have 224 filters and 403,424 parameters, exactly as many as one 3×3
# convolution of 224 filters. The 1×1 convolutions save them: they reduce the channels, and so make
# the 3×3 and 5×5 convolutions smaller.

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
single = keras.Model(inputs, branch(inputs, (64 + 128 + 32, 3)))
assert naive.count_params() == single.count_params() == 403_424
assert reduced.count_params() == 122_064
for name, module in (
    (lesson.text("one 3x3 convolution"), single),
    (lesson.text("branches side by side"), naive),
    (lesson.text("branches with 1x1 convolutions"), reduced),
):
    lesson.say(
        "{name}: {count:,} parameters, {channels} channels out",
        name=name,
        count=module.count_params(),
        channels=module.output_shape[-1],
    )
lesson.show(plots.show_block(naive), "inception_naive")

# %%
lesson.show(plots.show_block(reduced), "inception")

# %% [markdown]
# ### Inception v2、v3、v4：批次正規化 · Inception v2, v3, v4: batch normalisation
#
# v2 在每一層做批次正規化，學習率可以大好幾倍，並用兩個 3×3 卷積代替一個 5×5。
# v3 再把 n×n 拆成 1×n 與 n×1。v4 把模組整理成幾種，每種重複使用。
#
# Version 2 normalises each layer over the batch, so that learning rates can be several times as
# large, and replaces a 5×5 convolution by two 3×3 convolutions. Version 3 splits n×n into 1×n and
# n×1. Version 4 has a few kinds of modules and repeats each of them.
#
# 勘誤：講義說批次正規化把資料變成平均 0、標準差 1，只說了一半。每個通道正規化之後，還要乘上 γ（gamma）、
# 加上 β（beta），這兩個數由訓練得到，所以輸出的平均與標準差仍然由網路自己決定。
# 平均與標準差在訓練時取自這個批次；預測時用訓練中累積的移動平均。
#
# Erratum: the deck says that batch normalisation gives the data mean 0 and standard deviation 1,
# which is half of it. After each channel is normalised, it is multiplied by γ (gamma), and β
# (beta) is added; both are trained, so the network still determines the mean and the standard
# deviation of the output. In training, mean and deviation are those of the batch; for
# predictions, they are moving averages that were collected in training.
#
# 勘誤：講義把 Inception-ResNet 當成 Inception-v4。同一篇論文裡這是兩個網路：v4 沒有捷徑，Inception-ResNet 才有；
# 程式裡的 `InceptionResNetV2` 是後者。
#
# Erratum: the deck takes Inception-ResNet for Inception-v4. They are two networks of the same
# paper: v4 has no shortcuts, and Inception-ResNet has them; the `InceptionResNetV2` in the code is
# the latter.

# %%
batch = np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 20.0], [7.0, 60.0]])  # 4 examples, 2 channels
done = arithmetic.batch_normalize(batch, ((1.0, 2.0), (0.0, 5.0)))  # gamma, beta of each channel
lesson.say("each channel: mean {mean}, standard deviation {deviation}",
           mean=done.mean.round(3), deviation=done.deviation.round(3))  # fmt: skip
lesson.say("normalised:")
print(done.normalized.round(3).tolist())
lesson.say("times gamma (1, 2), plus beta (0, 5):")
print(done.output.round(3).tolist())
for n in (3, 5, 7):
    lesson.say(
        "{n}x{n}: {whole} weights for each pair of channels; 1x{n} and {n}x1: {split}",
        n=n,
        whole=n * n,
        split=2 * n,
    )
for name in ("inception_v2", "inception_v3", "inception_v4", "inception_resnet_v2"):
    lesson.say(
        "{name}: {count:,} parameters", name=name, count=convlens.model_info(name).num_params
    )

# %% [markdown]
# ## Xception（arXiv 2016）：深度可分離卷積 · Xception (arXiv 2016): depthwise separable convolution
#
# - **帶來什麼**：先讓每個通道各自卷積，再用 1×1 卷積混合通道。3 個通道到 2 個濾鏡：
#   標準卷積 54 個權重，拆開後只要 27 + 6 = 33 個。
# - **優點**：參數與 Inception-v3 差不多（2,291 萬對 2,385 萬），公布的準確率較高（79.0 % 對 77.9 %），
#   架構也簡單得多。
# - **缺點**：乘加次數比 Inception-v3 多 46 %（83.6 億對 57.1 億）；深度卷積的記憶體存取多、計算少，
#   省下的時間不如省下的乘法多；空間與通道的關係分不開時，不適合拆開。
# - **何時用**：學習深度可分離卷積，或用差不多的參數得到比 Inception-v3 更高的準確率。
# - **何時不用**：影像很小、通道很少的時候，省不到什麼；計算時間有限的時候。
#
# * **What it brought**: each channel is convolved by itself, and then a 1×1 convolution mixes the
#   channels. From 3 channels to 2 filters, a standard convolution has 54 weights, and a separable
#   one has 27 + 6 = 33.
# * **Strengths**: with about as many parameters as Inception-v3 (22.91 million against 23.85), its
#   published accuracy is higher (79.0 % against 77.9 %), and it is much simpler.
# * **Weaknesses**: it needs 46 % more multiply-adds than Inception-v3 (8.36 billion against 5.71);
#   depthwise convolutions move much memory for little arithmetic, so they save fewer seconds than
#   multiplications; and if space and channels really depend on each other, they should not be
#   separated.
# * **Use it** to learn about separable convolutions, or for more accuracy than Inception-v3 with
#   about as many parameters.
# * **Do not use it** if images are small and channels are few, as there is little to save, or if
#   time is short.
#
# 勘誤：講義說 Xception 讓 Inception-v3 的參數更少、計算更快。深度可分離卷積省的是一層的參數；
# Xception 把省下來的用在更多的濾鏡上，所以整個網路的參數只少 4 %，乘加次數反而多 46 %。
# 它的論文也說參數個數相同，準確率的提升來自更有效地使用參數。
#
# Erratum: the deck says that Xception has fewer parameters than Inception-v3 and is fast. A
# separable convolution saves parameters in one layer; Xception spends them on more filters, so that
# the whole network has only 4 % fewer parameters, and 46 % more multiply-adds. Its paper says, too,
# that the number of parameters is the same, and that they are used more efficiently.

# %%
standard, separable = measured("standard"), measured("separable")
weights_of = [sum(row.params.value for row in rows) for _, rows in (standard, separable)]
assert weights_of == [54, 33]
for channels, filters in ((3, 2), (128, 128), (728, 728)):
    full, parted = 9 * channels * filters, 9 * channels + channels * filters
    lesson.say(
        "from {channels} channels to {filters} filters: {full:,} weights against {parted:,}, {share:.1%}",
        channels=channels,
        filters=filters,
        full=full,
        parted=parted,
        share=parted / full,
    )
xception, inception = (convlens.model_info(name) for name in ("xception", "inception_v3"))
lesson.say(
    "Xception against Inception-v3: parameters {parameters:+.1%}, multiply-adds {operations:+.1%}",
    parameters=xception.num_params / inception.num_params - 1,
    operations=xception.multiply_adds / inception.multiply_adds - 1,
)
lesson.show(views.sizes_page([standard, separable], "5 x 5 x 3"), "separable")

# %%
small = keras.Input((5, 5, 3))
depthwise = keras.Model(small, layers.SeparableConv2D(2, 3, padding="same", use_bias=False)(small))
assert depthwise.count_params() == 33
lesson.show(plots.show_block(depthwise), "separable_block")

# %% [markdown]
# ## ResNet（arXiv 2015）：串接與相加，捷徑 · ResNet (arXiv 2015): concatenation and addition, shortcuts
#
# - **帶來什麼**：每個區塊學的是「要在輸入上加多少」，x + F(x)。什麼都不必加時，這個區塊就等於恆等映射。
#   因此一百多層的網路也訓練得起來。34 層以下的區塊是兩個 3×3 卷積；50 層以上是 1×1、3×3、1×1。
# - **優點**：加深網路確實有效，多數設定都能順利訓練。
# - **缺點**：以今天的標準計算量大，而且捷徑使特徵圖必須留在記憶體裡。
# - **何時用**：正式專案的首選。
# - **何時不用**：手機，或照片很少又沒有訓練好的權重。
#
# * **What it brought**: each block learns what to add to its input, x + F(x). If nothing has to be
#   added, the block is the identity. So networks of more than a hundred layers can be trained. Up
#   to 34 layers, a block is two 3×3 convolutions; from 50 layers on it is 1×1, 3×3, 1×1.
# * **Strengths**: more layers really help, and it trains well with most settings.
# * **Weaknesses**: it needs much arithmetic by today's standards, and its shortcuts keep feature
#   maps in memory.
# * **Use it** as the first choice of a real project.
# * **Do not use it** on a phone, or for few photographs without trained weights.
#
# 勘誤：講義說 ResNet 用捷徑（講義稱「短路」）解決「梯度消失」。論文談的是「退化」：沒有捷徑的網路，
# 加深之後連訓練誤差都變大。論文認為這不太可能是梯度消失，因為這些網路有批次正規化，梯度的大小正常。
# 論文量到的（ImageNet 驗證集的 top-1 誤差，10 個裁切）：沒有捷徑，18 層 27.94 %，34 層 28.54 %；
# 有捷徑，18 層 27.88 %，34 層 25.03 %。
#
# Erratum: the deck says that ResNet solves vanishing gradients by its shortcuts. Its paper is about
# degradation: a deeper network without shortcuts has a higher error even on its training images.
# The paper argues that vanishing gradients are unlikely to be the reason, as these networks have
# batch normalisation and gradients of a healthy size. It reports top-1 errors on the validation
# images of ImageNet (ten crops) of 27.94 % with 18 layers and 28.54 % with 34 without shortcuts,
# and of 27.88 % and 25.03 % with them.

# %%
one, other = np.array([[[1, 2]], [[3, 4]]]), np.array([[[10, 20]], [[30, 40]]])
added, joined = arithmetic.add([one, other]), arithmetic.concatenate([one, other])
lesson.say("addition (ResNet):")
print(one.shape, "+", other.shape, "->", added.shape, added.astype(int).tolist())
lesson.say("concatenation (DenseNet):")
print(one.shape, "|", other.shape, "->", joined.shape, joined.astype(int).tolist())
for name in ("resnet34", "resnet50", "resnet101", "resnet152"):
    info = convlens.model_info(name)
    lesson.say(
        "{name}: {count:,} parameters, {operations:.2f} billion multiply-adds for an image",
        name=name,
        count=info.num_params,
        operations=info.multiply_adds / 1e9,
    )

# %% [markdown]
# 下圖是 `resnet20` 的一個殘差區塊：右邊的線是捷徑，什麼也不算。第二張圖的區塊把特徵圖的邊長減半、通道加倍，
# 捷徑也要跟著改變形狀。
#
# The figure is a residual block of `resnet20`: the line at its right is the shortcut, which computes
# nothing. The block of the second figure halves the width and height of the map and doubles its
# channels, so that the shortcut has to change its shape as well.

# %%
resnet20 = convlens.create_model("resnet20")
lesson.show(
    plots.show_block(resnet20, "stage1_block1_relu2", "stage1_block2_relu2"), "residual_block"
)

# %%
lesson.show(
    plots.show_block(resnet20, "stage1_block3_relu2", "stage2_block1_relu2"), "residual_smaller"
)

# %% [markdown]
# ## DenseNet：區塊內的每一層都看得到前面所有的層（arXiv 2016） · DenseNet: within a block, every layer sees all before (arXiv 2016)
#
# - **帶來什麼**：在一個區塊之內，每一層都看得到前面所有層的特徵圖（串接，不是相加），自己只增加少量通道。
#   A 型的層是 3×3 卷積；B 型先用 1×1 卷積減少通道（瓶頸）；區塊之間有一個過渡層，用 1×1 卷積減少通道，再做平均池化。
# - **優點**：特徵保留下來重複使用，參數少，資料少的時候也學得好。
# - **缺點**：一直串接很占記憶體，訓練慢。
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
#
# 勘誤：講義說過渡層用 1×1 卷積縮小特徵圖。1×1 卷積減少的是通道，邊長不變；把邊長減半的是後面的平均池化。
#
# Erratum: the deck says that the transition layer shrinks the feature maps by a 1×1 convolution.
# That convolution reduces the channels and keeps the width and height; the average pooling behind
# it halves these.

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
    # The transition: fewer channels, then half the width and height.
    fewer = normalised_convolution(grown, grown.shape[-1] // 2, 1)
    smaller = layers.AveragePooling2D(2)(fewer)
    lesson.say(
        "type {letter}: {count:,} parameters in the block of 12 layers; sizes before it, after it, and in the transition:",
        letter=letter,
        count=keras.Model(entry, grown).count_params(),
    )
    print(*(tuple(x.shape[1:]) for x in (entry, grown, fewer, smaller)), sep=" -> ")
for name in ("densenet121", "densenet169", "densenet201"):
    lesson.say(
        "{name}: {count:,} parameters", name=name, count=convlens.model_info(name).num_params
    )
three_layers = keras.Model(entry, dense_block(entry, 3, 12, False))  # three of twelve
lesson.show(plots.show_block(three_layers), "dense_block")

# %%
wide = keras.Input((32, 32, 208))
transition = layers.AveragePooling2D(2)(normalised_convolution(wide, 104, 1))
lesson.show(plots.show_block(keras.Model(wide, transition)), "transition")

# %% [markdown]
# ## 準確率對運算量 · Accuracy against the number of operations
#
# 講義的最後一張圖，是每個模型在 ImageNet 的準確率，相對於每張影像的乘加次數。準確率是各論文或作者公布的，
# 不是我們量的，訓練配方也各不相同。找出「前緣」上的模型：沒有別的模型同時比它更準又更省。
#
# The last chart of the deck shows the accuracy of each model on ImageNet against the multiply-adds
# for one image. The accuracies were published by others; we did not measure them, and they were
# trained by different recipes. A model is on the front if no other model is both cheaper and more
# accurate.

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
lesson.say(
    "the front, in the order of the multiply-adds: {names}",
    names=", ".join(sorted(front, key=costs.get)),
)
one_crop = [published.PUBLISHED[name].evaluated == published.ONE_CROP for name in rows]
lesson.show(
    plots.show_published(rows, list(tops.values()), list(costs.values()), one_crop),
    "accuracy_and_operations",
)

# %% [markdown]
# ## 三條原則：保留特徵、保留梯度、節省參數 · Three rules: keep features, keep gradients, save parameters
#
# 一、保留特徵：要保留突出的特徵，用最大池化，不用平均池化；池化的步幅小於視窗，讓同一個值重複使用；
# 把前面的特徵圖串接到後面（DenseNet）。
# 二、保留梯度：用 ReLU，配上適當的初始權重；做批次正規化；加上捷徑（ResNet），讓網路加深而不退化。
# 三、節省參數：幾個小卷積代替一個大卷積；先用 1×1 卷積減少通道；全域平均池化代替全連接層；深度可分離卷積。
#
# First, keep features: to keep what stands out, use max pooling rather than average pooling; use
# strides smaller than the pooling window, so that values are used again; and pass earlier feature
# maps on to later layers (DenseNet). Second, keep gradients: use ReLU with suitable initial
# weights, batch normalisation, and shortcuts (ResNet), so that depth does not degrade the network.
# Third, save parameters: replace a large convolution by several small ones, reduce the channels by
# 1×1 convolutions first, replace dense layers by global average pooling, and use depthwise
# separable convolutions.

# %% [markdown]
# ## 六種遷移學習 · Six kinds of transfer learning
#
# 把在別處學到的用在這裡。先看別處的資料（來源）和這裡的資料（目標）有沒有標籤：
#
# What was learned elsewhere is used here. The kind depends on whether the data there (source) and
# here (target) have labels:
#
# | 來源 source | 目標 target | 種類 kind | 做什麼 what is done |
# |---|---|---|---|
# | 有 labelled | 有 labelled | 微調 fine-tuning | 用目標的資料接著訓練 train on with the target's data |
# | 有 labelled | 有 labelled | 多工學習 multitask learning | 兩個任務一起訓練，共用前面的層 both tasks at once, sharing layers |
# | 有 labelled | 無 unlabelled | 領域對抗訓練 domain-adversarial training | 學出看不出資料來源的特徵 features that do not tell which data they come from |
# | 有 labelled | 無 unlabelled | 零樣本學習 zero-shot learning | 靠類別的描述辨認沒見過的類別 classes never seen, known by a description |
# | 無 unlabelled | 有 labelled | 自我學習 self-taught learning | 先從無標籤的資料學出特徵 features from unlabelled data first |
# | 無 unlabelled | 無 unlabelled | 自我學習分群 self-taught clustering | 借助來源的資料把目標分群 cluster the target with the source's help |
#
# 下面做的是第一種裡的「層的轉移」（layer transfer）：沿用別人訓練好的卷積層，後面接自己的分類層。
#
# What follows belongs to the first kind and is called layer transfer: the convolutions of another
# network, with a classifier of our own behind them.

# %% [markdown]
# ## 凍結哪些層：影像與聲音 · Which layers to freeze: images and sound
#
# 影像的前面幾層學的是邊緣與轉角，任何照片都用得上，所以凍結前面、訓練後面。
# 聲音反過來：前面幾層學的是嗓音與口音，換一個人就不同；後面的層學的是字句，換一個人也一樣，
# 所以凍結後面、訓練前面。
#
# In images, the first layers learn edges and corners, which are useful for any photograph: freeze
# the first layers and train the last ones. For sound it is the other way round: the first layers
# learn voices and accents, which change with the speaker, and the later layers learn words, which
# do not: freeze the last layers and train the first ones.

# %% [markdown]
# ## 用 VGG16 遷移 · Transfer with VGG16
#
# VGG16 去掉分類層，除了 block5_conv1 到 block5_conv3 之外全部凍結，再接展平層、512 個神經元的全連接層與 sigmoid：
# 一共 27,560,769 個參數，其中 19,925,505 個可訓練。用 RMSprop，學習率 1e-5（步長太大會破壞已經學到的權重），
# 批次大小 10，訓練 10 個回合，只用訓練資料的四分之一。講義的結果是 95.00 %。
#
# VGG16 is used without its top. All of its layers are frozen except block5_conv1 to block5_conv3,
# and a flatten layer, 512 neurons and a sigmoid follow: 27,560,769 parameters, of which 19,925,505
# are trainable. The optimizer is RMSprop with a learning rate of 1e-5, since large steps would
# destroy what was learned; there are batches of 10 and 10 epochs, and only a quarter of the
# training images is used. The deck's result is 95.00 %.
#
# 勘誤：講義輸入 VGG16 的像素除以 255；它的 ImageNet 權重卻是用「BGR 順序、減去平均」的像素訓練的。
#
# Erratum: the deck feeds VGG16 with pixels divided by 255; its ImageNet weights were trained on
# pixels in BGR order minus the mean.
#
# 勘誤：`shear_range=0.2` 的單位是度。0.2 度在 224 個像素上不到一個像素，等於沒有錯切。
#
# Erratum: the unit of `shear_range=0.2` is degrees. Over 224 pixels, 0.2 degrees are less than one
# pixel, so there is practically no shear.
#
# 和講義不同的有兩處：錯切省略了（0.2 度等於沒有）；講義用其餘四分之三作驗證，這裡為了節省時間不驗證。
#
# Two things differ from the deck: the shear is left out, as 0.2 degrees make no difference; and the
# deck validates on the other three quarters, which we leave out to save time.

# %%
lesson.say(
    "0.2 degrees over 224 pixels are {pixels:.2f} pixels", pixels=224 * math.tan(math.radians(0.2))
)
lesson.say(
    "the pixel 255, 128, 0 as VGG16 needs it: {right}; divided by 255: {divided}",
    right=keras.applications.vgg16.preprocess_input(np.array([[255.0, 128.0, 0.0]]))[0].round(2),
    divided=(np.array([255, 128, 0]) / 255).round(2),
)


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
lesson.say(
    "{total:,} parameters, {trainable:,} of them trainable",
    total=transfer.count_params(),
    trainable=trainable,
)
lesson.say(
    "trainable layers of VGG16: {names}",
    names=", ".join(layer.name for layer in vgg16.layers if layer.trainable),
)

# %% [markdown]
# 訓練好的權重不在 convlens 裡，要下載（`vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5`，
# 放進 `~/.keras/models`）。找得到就照講義訓練，再用正確的前處理訓練一次來比較；找不到就用隨機權重，
# 只示範程式的流程：凍結層逐位元不變，分數沒有意義。快速模式一律用隨機權重。
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
    lesson.say(
        "The weights are random: what follows shows how it is done; its scores mean nothing."
    )

# %% [markdown]
# 像講義一樣，一個變數決定要訓練還是載入存好的檔案。檔案放在各次執行共用的資料夾裡，下次才找得到。
#
# As in the deck, one variable decides whether to train or to load the saved file. The file lies in
# a folder that all runs share, so that the next run finds it.

# %%
train_again = True
saved = lesson.folder.parent / f"transfer_vgg16-{'trained' if trained else 'random'}.keras"
(x_large, y_large), (x_check, y_check) = lesson.arrays("cats_dogs", size=224, channels="rgb")
quarter = np.random.default_rng(0).permutation(len(x_large))[: len(x_large) // 4 if trained else 4]
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
    lesson.say("every frozen weight is as it was, bit for bit")
    saved.parent.mkdir(parents=True, exist_ok=True)
    transfer.save(saved)
else:
    transfer = keras.models.load_model(saved)
    lesson.say("loaded: {file}", file=saved)

# %%
if trained and fitted is not None:
    answers = (transfer.predict(x_check, batch_size=10, verbose=0)[:, 0] >= 0.5).astype(int)
    lesson.compare(lesson.text("cats and dogs, VGG16 transferred"), metrics.accuracy(y_check, answers), data="cats_dogs", deck=0.95,
                   seconds=seconds)  # fmt: skip
    right, _ = vgg16_transfer(as_in_the_deck=False)
    convlens.load_weights(right, "transfer_vgg16_cats_dogs")
    right.fit(x_large[quarter], y_large[quarter], batch_size=10, epochs=epochs, verbose=2)
    again = (right.predict(x_check, batch_size=10, verbose=0)[:, 0] >= 0.5).astype(int)
    lesson.compare(
        lesson.text("the same, pixels scaled correctly"),
        metrics.accuracy(y_check, again),
        data="cats_dogs",
    )
    names = (lesson.text("divided by 255"), lesson.text("BGR minus the mean"))
    print(*convlens.compare_pairs(names, np.stack([answers == y_check, again == y_check])))
    lesson.show(plots.show_metrics(fitted.history), "transfer_history")

# %% [markdown]
# ### 一分鐘的做法：特徵只算一次 · In a minute: features computed once
#
# 講義的 95 % 只用四分之一的訓練照片，這裡用全部（留一部分作驗證），不能直接相比。
#
# The deck's 95 % was obtained with a quarter of the training images; here all of them are used,
# except for a share for validation, so the two cannot be compared directly.
#
# 全部凍結、又沒有資料增強的話，每個回合算出來的特徵都一樣。所以每張影像的特徵只算一次並存起來，
# 再用邏輯迴歸訓練分類層，幾秒就完成，不必選學習率。EfficientNet-Lite0 的權重附在套件裡，不必下載。
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
    lesson.compare(
        lesson.text("cats and dogs, EfficientNet-Lite0 frozen"), features, data="cats_dogs"
    )
    lesson.say("{seconds:.0f} s from the images to the report", seconds=seconds)
except convlens.ConvlensError as error:
    print(error)
if lesson.stands_in("cats_dogs"):
    lesson.say(
        "Digits say little about photographs. The full run (2,000 photographs to train on, seed 0) got "
        "98.75 % [98.16, 99.15] of 2,000 test photographs, where the three convolutions got 72.25 %."
    )

# %% [markdown]
# 講義的凍結方式，用 convlens 也做得到：`convlens train PHOTOS --backbone vgg16 --pooling none --head 512 --unfreeze "block5_conv*"
# --optimizer rmsprop --learning-rate 1e-5 --batch-size 10 --epochs 10`。先訓練分類層，再一起微調；
# 越前面的層學習率越小。
#
# The deck's way of freezing is also possible with convlens: `convlens train PHOTOS --backbone vgg16
# --pooling none --head 512 --unfreeze "block5_conv*" --optimizer rmsprop --learning-rate 1e-5
# --batch-size 10 --epochs 10`. The head is trained first, and then both are fine-tuned together;
# lower layers learn more slowly.

# %% [markdown]
# ## 作業：CIFAR-10 · Homework: CIFAR-10
#
# 自己設計一個 CNN 分類 CIFAR-10，找出最好的超參數，再接上一個經典模型。講義的草圖用 2×2 的池化、步幅 1：
# 特徵圖幾乎不縮小，參數幾乎都在第一個全連接層。下面算出有多少：
#
# Design a CNN of your own for CIFAR-10, search for the best hyper-parameters, and then add a
# classic model. The sketch in the deck uses 2×2 pooling with strides of 1: the feature maps hardly
# shrink, and nearly all parameters are in the first dense layer. Count them:

# %%
for strides in (1, 2):
    shape = convlens.Config().replace(model="custom_cnn", pool_strides=strides).model
    own_network = convlens.create_model("custom_cnn", config=shape)
    lesson.say(
        "pooling with strides of {strides}: {count:,} parameters, {flat:,} values after flatten",
        strides=strides,
        count=own_network.count_params(),
        flat=own_network.get_layer("flatten").output.shape[1],
    )

# %% [markdown]
# 一、自己的網路。二、搜尋過的：先用一部分照片嘗試幾組設定，再用最好的一組完整訓練。三、接上經典模型：
# 凍結的 EfficientNet-Lite0，影像放大到 128×128（它原本用 224×224，但那樣慢得多）。
# 設定依驗證集挑選，三個網路都用同一批測試影像評分，所以用第 002 課的配對檢定比較：
# 只看一個答對、另一個答錯的影像。只看兩個信賴區間有沒有重疊是不夠的：區間重疊，差別仍可能是真的。
#
# First, a network of your own. Second, a searched network: some settings are tried on a part of the
# images, and the best one is trained in full. Third, a classic model: EfficientNet-Lite0, frozen,
# with images enlarged to 128×128 (it was made for 224×224, which takes much longer).
# The settings were chosen on validation images, and all three networks are scored on the same test
# images, so they are compared by the paired test of lesson 002, which counts the
# images that only one of two networks classifies correctly. To see whether two intervals overlap is
# not enough: the difference may be real even if they do.

# %%
cifar10 = lesson.data("cifar10")
homework = convlens.Config().replace(
    model="custom_cnn",
    filters=(32, 64, 128),
    dropout=0.25,
    dense=(128,),
    epochs=4 if lesson.quick else 12,
)
runs = {}
runs["own"] = convlens.train(cifar10, homework, run=lesson.place("homework"))
lesson.compare(lesson.text("CIFAR-10 homework, a CNN of one's own"), runs["own"], data="cifar10")

# %% [markdown]
# 快速模式略過下面兩格：同樣的搜尋與同樣的骨幹網路，上面都示範過了，而數字影像說明不了照片的事。
#
# A quick run leaves the next two cells out: the same search and the same backbone were shown above,
# and images of digits say nothing about photographs.

# %%
if not lesson.quick:
    tried = convlens.search(
        cifar10, homework.replace(limit=10_000, epochs=5), trials=10, run=lesson.place("homework-search"),
        space=["filters=32,64,128|48,96,192|64,128,256", "convs_per_block=1,2", "dropout=0..0.4", "learning_rate=0.001..0.008"],
    )  # fmt: skip
    best = tried.best.config.replace(limit=homework.data.limit, epochs=homework.training.epochs)
    runs["searched"] = convlens.train(cifar10, best, run=lesson.place("homework-best"))
    lesson.compare(
        lesson.text("CIFAR-10 homework, the searched one"), runs["searched"], data="cifar10"
    )

# %%
grafted = convlens.Config().replace(backbone="efficientnet_lite0", size="128")
if not lesson.quick:
    try:
        began = time.perf_counter()
        runs["frozen"] = convlens.train(cifar10, grafted, run=lesson.place("homework-frozen"))
        seconds = time.perf_counter() - began
        lesson.compare(
            lesson.text("CIFAR-10 homework, a frozen backbone"), runs["frozen"], data="cifar10"
        )
        lesson.say("{seconds:.0f} s from the images to the report", seconds=seconds)
    except convlens.ConvlensError as error:
        print(error)

# %%
NAMES_OF_RUNS = {
    "own": lesson.text("own network"),
    "searched": lesson.text("searched network"),
    "frozen": lesson.text("frozen backbone"),
}


def right(run):
    """Return for each test image whether the classifier of a run predicts its class."""
    predictions = run.classifier().predict(list(x_cifar))
    return [
        one.label == cifar10.class_names[label]
        for one, label in zip(predictions, y_cifar, strict=True)
    ]


if lesson.stands_in("cifar10"):
    lesson.say(
        "Digits of 8 x 8 pixels say nothing about photographs. The full run (45,000 images of CIFAR-10 to train on, "
        "seed 0) got, of 5,000 test images, 77.04 % with a network of one's own, 82.58 % with the searched one and "
        "86.60 % with the frozen backbone. Both steps are more than chance (paired test, p < 0.0001, whichever images "
        "were right)."
    )
else:
    _, (x_cifar, y_cifar) = lesson.arrays("cifar10")
    names = [NAMES_OF_RUNS[name] for name in runs]
    for pair in convlens.compare_pairs(names, np.array([right(run) for run in runs.values()])):
        print(pair)

# %% [markdown]
# 接下來輪到你：搜尋更久，或用 `convlens compare cifar10 --models small_resnet,resnet20` 換經典模型。
#
# Now it is your turn: search for longer, or try classic networks with `convlens compare cifar10
# --models small_resnet,resnet20`.

# %% [markdown]
# ## 結果 · Results

# %%
lesson.table()

# %% [markdown]
# # 000 MNIST 與 CIFAR-10，一步一步來 · MNIST and CIFAR-10, step by step
#
# 第 000 份講義把同一個卷積網路用在兩種圖上：黑白的手寫數字，和彩色的小照片。數字幾乎全對，照片卻差得遠。
# 這一課照著它的步驟走一遍（載入、看形狀、看圖、前處理、建模、訓練、畫曲線、評估、預測、混淆矩陣、自己的圖），
# 最後回答它留下的問題：為什麼訓練和測試的準確率會差那麼多？
#
# Deck 000 uses one convolutional network for two kinds of images: handwritten digits in black and
# white, and small photographs in colour. Nearly all digits are classified correctly, but far fewer
# of the photographs. This lesson follows the steps of the deck (load, look at shapes and images,
# preprocess, build, train, plot the curves, evaluate, predict, confusion matrix, an image of your
# own). Then it answers the question that the deck leaves open: why do training and test accuracy
# differ so much?

# %%
import time

import numpy as np
from PIL import Image, ImageDraw, ImageOps

import convlens
from convlens import arithmetic, metrics, plots

lesson = convlens.Lesson("000")

import keras
from keras import layers

keras.utils.set_random_seed(0)

# %% [markdown]
# ## 卷積網路做兩件事 · A convolutional network does two things
#
# 前半是抽特徵：卷積層拿濾鏡（filter）去找樣式，池化層在每個窗框裡只留最大的一格，圖越來越小，意思越來越濃。
# 後半是分類：展平層把剩下的數字排成一列，交給全連接層，也就是普通的 MLP。
#
# The first half extracts features: convolutions look for patterns with their filters, and pooling
# layers keep the largest cell of each window, so that the feature maps become smaller and more
# meaningful. The second half classifies: a flatten layer puts the remaining numbers in a row for
# dense layers, which are a plain MLP.
#
# 勘誤：講義說濾鏡的乘積加總後要除以像素數，取平均。Keras 的卷積層只加總、不除；
# 差一個固定的倍數，訓練時會被權重吸收，但是自己驗算時要記得。
#
# Erratum: the deck divides the sum of a filter's products by the number of pixels. A convolution of
# Keras adds up and does not divide. The factor is constant, and the weights absorb it in training,
# but remember it when you check by hand.

# %%
x9, diagonal = convlens.get_image("x9"), convlens.get_filter("left-diagonal")[..., 0]
mean, total = arithmetic.convolve(x9, diagonal, mean=True), arithmetic.convolve(x9, diagonal)
layer = keras.layers.Conv2D(1, 3, use_bias=False)
layer.build((None, 9, 9, 1))
layer.set_weights([diagonal.astype("float32")[..., None, None]])
computed = float(np.asarray(layer(x9[None].astype("float32")))[0, 0, 0, 0])
print(
    f"upper left cell: the deck's mean {mean.output[0, 0, 0]}, the sum {total.output[0, 0, 0]}, Keras {computed:g}"
)
assert computed == total.output[0, 0, 0] == 9 * mean.output[0, 0, 0]

# %% [markdown]
# ## 載入 MNIST，看形狀與圖 · Load MNIST, look at shapes and images
#
# 訓練六萬張、測試一萬張，28×28 的灰階圖。印出一張圖的像素，會看到 0 到 255 的整數：0 是黑的底，255 是白的筆畫。
#
# There are 60,000 training images and 10,000 test images, grey and of 28×28 pixels. The pixels are
# whole numbers from 0, the black background, to 255, the white stroke.

# %%
(x_train, y_train), (x_test, y_test) = lesson.arrays("mnist")
if lesson.quick:
    x_train, y_train, x_test, y_test = x_train[::6], y_train[::6], x_test[::2], y_test[::2]
order = np.random.default_rng(0).permutation(len(x_train))
x_train, y_train = x_train[order], y_train[order]
for name, array in (
    ("x_train", x_train),
    ("y_train", y_train),
    ("x_test", x_test),
    ("y_test", y_test),
):
    print(f"{name:8} {type(array).__name__} {array.dtype} {array.shape}")
print(f"a row across the middle of the first image: {x_train[0, 14, :, 0].tolist()}")
print("first ten labels:", y_train[:10].tolist())
lesson.show(plots.show_images(x_train, y_train, n=10, columns=10), "mnist_images")

# %% [markdown]
# ## 前處理：整形、縮放、one-hot · Preprocess: reshape, scale, one-hot
#
# 卷積層不必把圖拉平，但是要第四個維度，顏色深度：灰階是 1，彩色是 3。像素縮到 0..1，標籤變成十個數的 one-hot。
#
# A convolution needs no flattening, but it needs a fourth dimension, the number of channels: 1 for
# grey, 3 for RGB. The pixels are scaled to 0..1, and the labels become one-hot vectors of ten
# numbers.

# %%
scaled_train = x_train.reshape((len(x_train), 28, 28, 1)).astype("float32") / 255
scaled_test = x_test.reshape((len(x_test), 28, 28, 1)).astype("float32") / 255
onehot_train, onehot_test = (
    keras.utils.to_categorical(y_train, 10),
    keras.utils.to_categorical(y_test, 10),
)
print("images", scaled_train.shape, f"from {scaled_train.min():g} to {scaled_train.max():g}")
print(
    "labels  ",
    onehot_train.shape,
    " the first:",
    y_train[0],
    "->",
    onehot_train[0].astype(int).tolist(),
)

# %% [markdown]
# ## 建立模型，印出層表 · Build the network and print its table of layers
#
# 兩組「卷積、卷積、池化、丟棄」，再展平、512 個神經元、丟棄、softmax。講義在全連接層旁邊寫「參數量爆增」：
# 看看下面的百分比就知道。
#
# The network has two groups of "convolution, convolution, pooling, dropout", and then a flatten
# layer, 512 neurons, dropout and a softmax. The deck remarks that the number of parameters explodes
# at the dense layer; the shares below show by how much.

# %%


def four_convolutions(input_shape):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


model = four_convolutions((28, 28, 1))
model.summary(line_length=80)
assert model.count_params() == 1_676_266
for one in model.layers:
    if one.count_params():
        print(
            f"{one.name:12} {one.count_params():>9,}  {one.count_params() / model.count_params():6.1%} of all"
        )

# %% [markdown]
# ## 訓練，留一份驗證 · Train, with a share for validation
#
# Adam（學習率 0.001）、批次 500、五分之一當驗證集。從前寫 `Adam(lr=0.001)`，現在是 `learning_rate`。
#
# We use Adam with a learning rate of 0.001, batches of 500, and a fifth of the images for
# validation. What used to be `Adam(lr=0.001)` is now `learning_rate`.
#
# 勘誤：講義的程式寫 100 個回合，印出來的紀錄卻是 20 個；結果是 20 個回合的，這裡也用 20。
#
# Erratum: the code of the deck says 100 epochs, but the log that it prints counts 20. The result is
# that of 20 epochs, so we use 20 here.

# %%
epochs, batch_size = (6, 25) if lesson.quick else (20, 500)
model.compile(
    keras.optimizers.Adam(learning_rate=0.001), "categorical_crossentropy", metrics=["accuracy"]
)
began = time.perf_counter()
fitted = model.fit(
    scaled_train,
    onehot_train,
    epochs=epochs,
    batch_size=batch_size,
    validation_split=0.2,
    verbose=2,
)
seconds = time.perf_counter() - began

# %% [markdown]
# ## 畫出準確率與損失 · Plot accuracy and loss
#
# 勘誤：講義的程式兩次都呼叫 `plt.ylabel`，所以橫軸沒有名字、縱軸叫 epoch。橫軸才是回合。
#
# Erratum: the code of the deck calls `plt.ylabel` twice, so that the vertical axis is named "epoch"
# and the horizontal axis has no name. The epochs are on the horizontal axis.

# %%
lesson.show(plots.show_metrics(fitted.history), "mnist_history")

# %% [markdown]
# ## 用測試集評估 · Evaluate on the test set
#
# 講義的結果是 99.6 %。`evaluate` 給損失和準確率；下面再加上 95 % 信賴區間。
#
# The deck's result is 99.6 %. `evaluate` gives the loss and the accuracy; the 95 % confidence
# interval is added below.

# %%
loss, right = model.evaluate(scaled_test, onehot_test, verbose=0)
probabilities = model.predict(scaled_test, verbose=0)
predicted = probabilities.argmax(axis=1)
print(f"loss {loss:.3f}, accuracy {right:.4f}")
lesson.compare(
    "MNIST, four convolutions",
    metrics.accuracy(y_test, predicted),
    data="mnist",
    deck=0.996,
    seconds=seconds,
)

# %% [markdown]
# ## 預測前幾張 · Predict the first images
#
# `predict` 給十個機率，最大的那個就是答案。標題是「預測（真正）」與機率，答錯的是紅色；第二排全是答錯的。
#
# `predict` gives ten probabilities, and the class with the largest one is the prediction. A title
# shows "predicted (true)" and the probability, in red for a mistake. The second row shows only
# mistakes, as far as there are any.

# %%
print(
    "probabilities of the first:",
    [round(float(p), 4) for p in probabilities[0]],
    " label:",
    y_test[0],
)
wrong = np.flatnonzero(predicted != y_test)[:10]
shown = np.concatenate([np.arange(10), wrong])
lesson.show(
    plots.show_images(x_test[shown], y_test[shown], probabilities=probabilities[shown], columns=10),
    "mnist_predictions",
)

# %% [markdown]
# ## 混淆矩陣 · The confusion matrix
#
# 列是真正的數字，欄是預測的數字。
#
# Rows are the true digits, and columns are the predicted ones.

# %%
matrix = metrics.confusion_matrix(y_test, predicted, 10)
print(f"{int(matrix.sum() - np.trace(matrix))} mistakes in {int(matrix.sum()):,} images")
lesson.show(plots.show_confusion(matrix, [str(digit) for digit in range(10)]), "mnist_confusion")

# %% [markdown]
# ## 自己的圖 · An image of one's own
#
# 自己寫一個數字、拍照、存檔，然後預測。有個陷阱：紙上是白底黑字，MNIST 卻是黑底白字，而且數字擺在正中間。
# 要像當初做 MNIST 那樣處理：反白、裁到筆畫、縮到 20×20、放進 28×28 的中央。
# 把 `own` 換成自己的檔名就能試；這裡先畫一個 3 代替。
#
# Write a digit, photograph it, save it and predict it. There is a trap: paper is white with black
# strokes, whereas MNIST is black with white strokes, and its digits are in the centre. So prepare
# the photograph as MNIST was made: invert it, crop it to the stroke, scale it to 20×20 and put it
# in the centre of 28×28. Put the name of your own file in `own`; until then, a 3 is drawn.

# %%
own = lesson.place("own.png")
own.parent.mkdir(parents=True, exist_ok=True)
paper = Image.new("L", (240, 320), 245)
strokes = [(70, 70), (160, 75), (115, 140), (165, 190), (130, 250), (70, 240)]
ImageDraw.Draw(paper).line(strokes, fill=30, width=26, joint="curve")
paper.save(own)


def like_mnist(image):
    """Return white strokes on black, in the middle of 28 x 28."""
    strokes = ImageOps.autocontrast(ImageOps.invert(image.convert("L")))
    strokes = strokes.crop(strokes.point(lambda value: 255 * (value > 64)).getbbox())
    strokes = ImageOps.contain(strokes, (20, 20))
    return ImageOps.expand(
        strokes,
        ((28 - strokes.width) // 2, (28 - strokes.height) // 2,
         (29 - strokes.width) // 2, (29 - strokes.height) // 2),
    )  # fmt: skip


photograph = Image.open(own)
candidates = np.stack(
    [np.asarray(photograph.convert("L").resize((28, 28))), np.asarray(like_mnist(photograph))]
)[..., None]  # fmt: skip
answers = model.predict(candidates.astype("float32") / 255, verbose=0)
for name, answer in zip(("only resized", "made like MNIST"), answers, strict=True):
    print(f"{name:16} -> {answer.argmax()} with {answer.max():.1%}")
lesson.show(plots.show_images(candidates, probabilities=answers, columns=2), "own_digit")

# %% [markdown]
# ## MLP 對 CNN · MLP against CNN
#
# 講義拿先前的 MLP（訓練 96.5 %、測試 96.5 %）和這個 CNN（訓練 99.5 %、測試 99.6 %）比。
# 它沒有說那個 MLP 幾層；這裡用一層 128 個神經元，同樣的資料、同樣的回合數。
#
# The deck compares an earlier MLP (training 96.5 %, test 96.5 %) with this CNN (training 99.5 %,
# test 99.6 %). It does not say how many layers that MLP has. Ours has one layer of 128 neurons and
# is trained on the same images for the same number of epochs.
#
# 講義的 CNN 訓練 99.5 % 反而比測試 99.6 % 低：`fit` 印出來的訓練準確率是丟棄層開著、在回合進行中算的。
# 下面用 `predict` 在訓練完之後重算一次。
#
# The training accuracy of the deck's CNN, 99.5 %, is lower than its test accuracy: the training
# accuracy that `fit` prints is computed with dropout switched on, while the epoch is still under
# way. Below, `predict` computes it again after the training.

# %%
mlp = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Flatten(),
        layers.Dense(128, "relu"),
        layers.Dense(10, "softmax"),
    ]
)
mlp.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
fitted_mlp = mlp.fit(
    scaled_train, onehot_train, epochs=epochs, batch_size=batch_size, validation_split=0.2, verbose=0
)  # fmt: skip
seen = slice(0, int(0.8 * len(x_train)))  # what was trained on
panels, scores = {"訓練 · training": {}, "測試 · test": {}}, {}
for name, network, log in (("MLP", mlp, fitted_mlp), ("CNN", model, fitted)):
    train_score = metrics.accuracy(
        y_train[seen], network.predict(scaled_train[seen], verbose=0, batch_size=500).argmax(1)
    )
    test_score = metrics.accuracy(
        y_test, network.predict(scaled_test, verbose=0, batch_size=500).argmax(1)
    )
    panels["訓練 · training"][name], panels["測試 · test"][name] = train_score, test_score
    scores[name] = test_score
    print(f"{name}: {network.count_params():>9,} parameters, training {train_score} (fit said "
          f"{log.history['accuracy'][-1]:.2%}), test {test_score}")  # fmt: skip
apart = scores["CNN"].low > scores["MLP"].high or scores["CNN"].high < scores["MLP"].low
better = max(scores, key=lambda name: scores[name].value)
print(
    f"test: {better} is ahead, and the intervals {'are apart' if apart else 'overlap: nothing can be told apart'}"
)
lesson.show(plots.show_scores(panels, across="準確率 · accuracy"), "mlp_cnn")

# %% [markdown]
# ## CIFAR-10：載入與縮放 · CIFAR-10: load and scale
#
# 32×32 的彩色照片，十個類別。比 MNIST 難：同一類的東西長得不一樣，背景雜，大小也不一。
# 講義把第一張圖的第一個像素 [59 62 63] 除以 255 給大家看；下面照做。
#
# These are photographs in colour of 32×32 pixels, in ten classes. They are harder than MNIST:
# objects of one class look different, backgrounds are busy, and sizes vary. The deck shows the
# first pixel of the first image, [59 62 63], divided by 255, and so do we.

# %%
photographs = lesson.data("cifar10")
(color_train, color_labels), (color_test, color_answers) = lesson.arrays("cifar10")
print(
    "x_train",
    color_train.shape,
    " x_test",
    color_test.shape,
    " classes:",
    ", ".join(photographs.class_names),
)
pixel = np.array([59, 62, 63], np.uint8)
scaled_pixel = pixel.astype("float32") / 255
print("the deck's pixel", pixel, "->", scaled_pixel)
assert np.allclose(scaled_pixel, [0.23137255, 0.24313726, 0.24705882], rtol=0, atol=1e-8)
print(
    "the first pixel here", color_train[0, 0, 0], "->", color_train[0, 0, 0].astype("float32") / 255
)
lesson.show(
    plots.show_images(color_train, color_labels, n=16, class_names=photographs.class_names),
    "cifar_images",
)

# %% [markdown]
# ## CIFAR-10：建立與訓練 · CIFAR-10: build and train
#
# 同一個網路，輸入改成 32×32×3，參數變成 2,168,362：多出來的幾乎都在第一個全連接層。
# 這次用 convlens 訓練：Adam、批次 128、20 個回合、五分之一驗證。講義的結果：訓練 86 %、驗證 79 %、測試 78.3 %。
#
# The same network with inputs of 32×32×3 has 2,168,362 parameters; nearly all of the additional
# ones are in the first dense layer. This time convlens trains it, with Adam, batches of 128, 20
# epochs and a fifth of the images for validation. The deck's result is 86 % in training, 79 % in
# validation and 78.3 % in the test.

# %%
assert four_convolutions((32, 32, 3)).count_params() == 2_168_362
assert convlens.create_model("cifar_4conv").count_params() == 2_168_362
config = convlens.Config().replace(
    model="cifar_4conv",
    optimizer="adam",
    schedule="constant",
    augment="none",
    epochs=3 if lesson.quick else 20,
    batch_size=32 if lesson.quick else 128,
)
run = convlens.train(photographs, config, run=lesson.place("cifar_4conv"))
lesson.compare("CIFAR-10, four convolutions", run, data="cifar10", deck=0.783)

# %%
best = max(run.history, key=lambda row: row["val_accuracy"])
print(
    f"epoch {best['epoch']:.0f} was kept: training {best['accuracy']:.1%}, validation {best['val_accuracy']:.1%}"
)
lesson.show(plots.show_history(run.history), "cifar_history")

# %% [markdown]
# ## CIFAR-10：預測與混淆矩陣 · CIFAR-10: predictions and the confusion matrix
#
# 看混淆矩陣裡最紅的幾格：哪兩類最常被弄錯？
#
# Look for the reddest cells of the matrix: which two classes are confused most often?

# %%
classifier = run.classifier()
probabilities = classifier.probabilities(color_test)
lesson.show(
    plots.show_images(
        color_test,
        color_answers,
        n=16,
        probabilities=probabilities,
        class_names=classifier.class_names,
    ),
    "cifar_predictions",
)

# %%
matrix = metrics.confusion_matrix(
    color_answers, probabilities.argmax(axis=1), len(classifier.class_names)
)
mistakes = matrix - np.diag(np.diag(matrix))
both = np.triu(mistakes + mistakes.T)
one, other = (
    classifier.class_names[index] for index in np.unravel_index(both.argmax(), both.shape)
)
print(f"taken for each other most often: {one} and {other}, {both.max()} times")
lesson.show(plots.show_confusion(matrix, classifier.class_names), "cifar_confusion")

# %% [markdown]
# ## 為什麼訓練與測試準確率差那麼多：丟棄與資料增強 · Why training and test accuracy differ: dropout and augmentation
#
# 網路參數比圖多得多，它可以把訓練圖「背起來」，背起來的東西對新的圖沒有用：這叫過擬合。
# 兩種辦法讓它背不起來。丟棄（dropout）：訓練時隨機關掉一部分神經元，誰也不能只靠誰。
# 資料增強（augmentation）：每個回合看到的圖都稍微移動、縮放、左右翻轉，同一張圖不會出現兩次。
#
# A network has far more parameters than there are images, and it can memorise its training images.
# What it has memorised is of no use for new images: this is overfitting. Two methods make it
# difficult. Dropout switches off some randomly chosen neurons during training, so that no neuron
# can rely on another one. Augmentation shifts, zooms or mirrors the images a little in every epoch,
# so that no image is ever seen twice.
#
# 實驗：同一個小網路、同樣的少量訓練圖，四種情況，每個回合量訓練圖與沒看過的圖（丟棄與增強都關掉）。
#
# The experiment: the same small network is trained on the same few images in four ways. After each
# epoch we measure the accuracy on the training images and on unseen images, both with dropout and
# augmentation switched off.

# %%
few, unseen, passes, batch = (100, 300, 24, 10) if lesson.quick else (5000, 2000, 25, 50)
measured = range(0, passes, 3 if lesson.quick else 1)
drawn = np.random.default_rng(1).permutation(len(color_train))[:few]
x_few, y_few = color_train[drawn].astype("float32") / 255, color_labels[drawn]
x_new, y_new = color_test[:unseen].astype("float32") / 255, color_answers[:unseen]
may_flip = not lesson.stands_in("cifar10")  # a digit in the mirror is another sign


class Watch(keras.callbacks.Callback):
    """Scores training images and new ones after each epoch, as the network predicts."""

    def __init__(self):
        super().__init__()
        self.scores = {"訓練 · training": [], "沒看過的 · unseen": []}

    def on_epoch_end(self, epoch, logs=None):
        if epoch in measured:
            sets = ((x_few[:unseen], y_few[:unseen]), (x_new, y_new))
            for kept, (x, y) in zip(self.scores.values(), sets, strict=True):
                kept.append(metrics.accuracy(y, np.argmax(self.model(x, training=False), axis=1)))


def small_network(dropout, augmented):
    changes = [layers.RandomTranslation(0.1, 0.1), layers.RandomZoom(0.1)] if augmented else []
    changes += [layers.RandomFlip("horizontal")] if augmented and may_flip else []
    return keras.Sequential(
        [
            keras.Input(x_few.shape[1:]),
            *changes,
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25 * dropout),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25 * dropout),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5 * dropout),
            layers.Dense(len(photographs.class_names), activation="softmax"),
        ]
    )


WAYS = {
    "都沒有 · neither": (False, False),
    "丟棄 · dropout": (True, False),
    "增強 · augmentation": (False, True),
    "兩者 · both": (True, True),
}
panels, gaps = {}, {}
for way, (dropout, augmented) in WAYS.items():
    keras.utils.set_random_seed(3)
    small, watch = small_network(dropout, augmented), Watch()
    small.compile("adam", "sparse_categorical_crossentropy")
    small.fit(x_few, y_few, epochs=passes, batch_size=batch, verbose=0, callbacks=[watch])
    panels[way] = {
        name: ([epoch + 1 for epoch in measured], values) for name, values in watch.scores.items()
    }
    ends = [values[-1] for values in watch.scores.values()]
    gaps[way] = ends[0].value - ends[1].value
    print(f"{way:20} training {ends[0]}, unseen {ends[1]}, gap {100 * gaps[way]:.1f} points")
figure = plots.show_lines(panels, across="回合 · epoch", up="準確率 · accuracy", percent=True)
for axes in figure.axes:
    axes.set_ylim(0, 1.02)
lesson.show(figure, "train_against_test")

# %%
for way, gap in sorted(gaps.items(), key=lambda item: item[1]):
    print(f"gap {100 * gap:5.1f} points   {way}")
finals = {way: lines["沒看過的 · unseen"][1][-1] for way, lines in panels.items()}
highest = max(finals, key=lambda way: finals[way].value)
neither = finals["都沒有 · neither"]
print(f"highest on unseen images: {highest}, {finals[highest]}; with neither {neither}")
if finals[highest].low > neither.high:
    print("the intervals are apart: it helped")
else:
    print("the intervals overlap: on these images, after these epochs, nothing helped for certain")

# %% [markdown]
# 差距變小，不等於測試變好：若兩者都太強，網路連訓練圖也學不會，這叫欠擬合。要看的是沒看過的圖那條線。
#
# A smaller gap does not mean a better test accuracy: if dropout and augmentation are too strong, or
# the epochs too few, the network does not even learn the training images, which is underfitting.
# What counts is the line of the unseen images.

# %% [markdown]
# ## 結果 · Results

# %%
lesson.table()

# %% [markdown]
# # 001 用卷積神經網路讀手寫數字 · A convolutional network reads handwritten digits
#
# 這一課把第 001 份講義的程式用今天的 Keras 重做一遍，每個數字旁邊都有講義當年的數字。
# 講義的程式如今跑不動，原因有二：`np_utils` 已經不在，`predict_classes` 也拿掉了；下面每一處都換成現在的寫法。
#
# This lesson rewrites the programs of deck 001 in today's Keras, and shows the deck's number beside
# each of ours. The deck's own code no longer runs, for two reasons: `np_utils` is gone, and so is
# `predict_classes`. Below, each of them is replaced by its present form.

# %%
import time

import cv2
import numpy as np

import convlens
from convlens import arithmetic, metrics, plots, views

lesson = convlens.Lesson("001")

import keras

keras.utils.set_random_seed(1)

# %% [markdown]
# ## 辨識的四個階段 · Recognition in four stages
#
# 人看到一個 X，先注意到幾種小樣式（左斜線、交叉、右斜線），再忽略它們確切的位置，
# 然後把「找到了什麼、在哪個角落」列成一張清單，最後拿清單去比對記憶。
# 卷積神經網路照著做：卷積層找樣式，池化層做抽象，展平層列清單，全連接層負責搜尋答案。
#
# A person who sees an X first notices small patterns (a left diagonal, a crossing, a right
# diagonal), then ignores their exact positions, then lists which patterns were found in which
# corner, and finally compares this list with memory. A convolutional network does the same:
# convolution finds the patterns, pooling abstracts from their positions, flattening makes the list,
# and dense layers search for the answer.
#
# 下圖是 9×9 的 X：三個 3×3 濾鏡、ReLU、兩次最大池化，最後剩 12 個數。
#
# Below, an X of 9×9 goes through three 3×3 filters, ReLU and two max poolings, until 12 numbers are
# left.

# %%
x9 = convlens.get_image("x9")
diagonals = [
    (name, convlens.get_filter(name)[..., 0])
    for name in ("left-diagonal", "cross", "right-diagonal")
]
lesson.show(views.recognition_page(x9, diagonals), "four_stages")

# %% [markdown]
# ## 平移、縮放、歪斜、加粗的 X · An X that is shifted, scaled, skewed or thickened
#
# 電腦手上只有像素。把 X 移幾格、縮一點、推歪或加粗，人還是看到 X，逐像素比對卻完全不是同一回事。
# 這裡量一量：把變過的 X 和原來的 X 逐像素比，再和一個 O 比。
# 相關係數 1 表示完全一樣，0 表示毫無關係。
#
# A computer has nothing but pixels. If an X is shifted, shrunk, skewed or thickened, a person still
# sees an X, but pixel by pixel it is another image. Here we measure this: the correlation of the
# changed X with the original X and, for comparison, with an O. A correlation of 1 means that the
# images are equal, and 0 means that they are unrelated.

# %%


def change(image, shift=0.0, scale=1.0, skew=0.0, thicken=0):
    """Move to the right by `shift` pixels, scale, skew by degrees and thicken by pixels, about the middle."""
    side = image.shape[0]
    slope = np.tan(np.deg2rad(skew))
    matrix = scale * np.array([[1, slope], [0, 1]])
    middle = np.array([(side - 1) / 2] * 2)
    offset = middle - matrix @ middle + [shift, 0]
    changed = cv2.warpAffine(image, np.column_stack([matrix, offset]), (side, side))
    return cv2.dilate(changed, np.ones((thicken + 1, thicken + 1), np.uint8))


AMOUNTS = {
    "shift": ("平移（像素） shifted, pixels", [0, 1, 2, 3, 4, 5, 6]),
    "scale": ("縮放（倍） scaled, times", [0.5, 0.65, 0.8, 1.0, 1.2, 1.4]),
    "skew": ("歪斜（度） skewed, degrees", [0, 10, 20, 30, 40]),
    "thicken": ("加粗（像素） thickened, pixels", [0, 1, 2, 3, 4]),
}

letter_x = np.zeros((28, 28), np.uint8)
cv2.line(letter_x, (7, 7), (20, 20), 255, 2, cv2.LINE_AA)
cv2.line(letter_x, (20, 7), (7, 20), 255, 2, cv2.LINE_AA)
letter_o = cv2.circle(np.zeros((28, 28), np.uint8), (14, 14), 7, 255, 2, cv2.LINE_AA)
changed = [change(letter_x, **{name: amounts[-1]}) for name, (_, amounts) in AMOUNTS.items()]
names = ["X", "O", "平移 shifted", "縮放 scaled", "歪斜 skewed", "加粗 thick"]
lesson.show(
    plots.show_images([letter_x, letter_o, *changed], range(6), class_names=names, columns=6), "x_o"
)

# %%


def correlation(one, other):
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


panels = {}
for name, (title, amounts) in AMOUNTS.items():
    moved = [change(letter_x, **{name: amount}) for amount in amounts]
    panels[title] = {
        "和原來的 X · with the X as it was": (
            amounts,
            [correlation(one, letter_x) for one in moved],
        ),
        "和 O · with an O": (amounts, [correlation(one, letter_o) for one in moved]),
    }
for title, lines in panels.items():
    amounts, same = lines["和原來的 X · with the X as it was"]
    print(f"{title} {amounts[-1]:g}: correlation with the X {same[-1]:.2f}")
lesson.show(
    plots.show_lines(panels, across="多少 · how much", up="相關係數 · correlation"), "x_correlation"
)

# %% [markdown]
# ## 卷積運算 · Convolution
#
# 講義的例子：7×7 的圖、3×3 的濾鏡、`same` 填補（外圍補 0）。
# 濾鏡蓋住九格，格對格相乘再加起來，就是特徵圖的一格。第一列應該是 7 11 12 6 4 4 3。
#
# The deck's example is a 7×7 image and a 3×3 filter with `same` padding (zeros around the image).
# The filter covers nine cells; the products of the cells, added up, give one cell of the feature
# map. Its first row must be 7 11 12 6 4 4 3.

# %%
seven = arithmetic.convolve(
    convlens.get_image("seven"), convlens.get_filter("plus")[..., 0], padding="same"
)
assert [int(value) for value in seven.output[0, :, 0]] == [7, 11, 12, 6, 4, 4, 3]
lesson.show(views.convolution_page(seven, ["filter"], at=(0, 0)), "convolution")

# %% [markdown]
# 勘誤：講義說卷積不會改變影像大小。那是 `same` 填補才有的結果；沒有填補（`valid`）時，7×7 會變成 5×5。
# 另外，濾鏡只有「一開始」是隨機的，訓練會一步一步把它們改成有用的樣子。
#
# Erratum: the deck says that a convolution does not change the size of an image. This is true only
# for `same` padding; without padding (`valid`), 7×7 becomes 5×5. And filters are random only at the
# start: training turns them into something useful.

# %%
for padding in ("same", "valid"):
    done = arithmetic.convolve(
        convlens.get_image("seven"), convlens.get_filter("plus")[..., 0], padding=padding
    )
    print(
        f"padding {padding}: 7 x 7 -> {done.output.shape[0]} x {done.output.shape[1]}   {done.vertical.formula}"
    )

# %% [markdown]
# ## 最大池化 · Max pooling
#
# 每 2×2 格只留最大的一個：4×4 變成 2×2。好處有三：要處理的數變成四分之一；樣式挪動一格，結果常常不變；
# 後面全連接層的參數變少，過擬合也就少一些。
#
# Only the largest of every 2×2 cells is kept, so that 4×4 becomes 2×2. This has three advantages:
# only a quarter of the numbers has to be processed; if a pattern moves by a cell, the result often
# stays the same; and the dense layers after it need fewer parameters, which reduces overfitting.

# %%
pooled = arithmetic.pool(convlens.get_image("pool-001"), 2)
assert pooled.output[..., 0].astype(int).tolist() == [[5, 6], [8, 9]]
lesson.show(views.pooling_page(pooled, at=(1, 0)), "max_pooling")

# %% [markdown]
# ## 載入資料 · Load the images
#
# 先看形狀，再看圖：不看資料就訓練，是最常見的錯。
#
# Look at the shapes first, and then at the images: to train on data that one has never looked at is
# the most common mistake.

# %%
(x_train, y_train), (x_test, y_test) = lesson.arrays("mnist")
print("x_train", x_train.shape, x_train.dtype, " y_train", y_train.shape)
print("x_test ", x_test.shape, x_test.dtype, " y_test ", y_test.shape)
lesson.show(plots.show_images(x_train, y_train, n=10, columns=10), "first_images")

# %% [markdown]
# ## 一個濾鏡，一張特徵圖 · One filter, one feature map
#
# 拿一張數字，套上一個隨機的 5×5 濾鏡：得到一張新的圖。套上 16 個濾鏡，就得到 16 張，每張強調不同的東西。
# 這些圖還沒訓練過；模型訓練完之後再看一次。
#
# A digit and one random 5×5 filter give a new image. With 16 filters there are 16 new images, each
# of which emphasises something else. Nothing has been trained yet; we look again after the
# training.

# %%
random_layer = keras.layers.Conv2D(16, 5, padding="same", activation="relu")


def maps_of(layer, image):
    """Return the layer's maps of one image, each stretched to 0..255."""
    maps = np.moveaxis(np.asarray(layer(image[None].astype("float32") / 255))[0], -1, 0)
    return np.uint8(255 * maps / np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-6))


lesson.show(
    plots.show_images([x_test[0], *maps_of(random_layer, x_test[0])], columns=9), "random_filters"
)

# %% [markdown]
# ## 前處理：整形、縮放、one-hot · Preprocess: reshape, scale, one-hot
#
# 卷積層要四個維度（張數、高、寬、通道）；像素從 0..255 縮到 0..1；標籤變成 one-hot 向量。
# `np_utils.to_categorical` 現在叫 `keras.utils.to_categorical`。
#
# A convolution needs four dimensions (images, height, width, channels). The pixels are scaled from
# 0..255 to 0..1, and the labels become one-hot vectors. What used to be `np_utils.to_categorical`
# is now `keras.utils.to_categorical`.

# %%
scaled_train = x_train.reshape(-1, 28, 28, 1).astype("float32") / 255
scaled_test = x_test.reshape(-1, 28, 28, 1).astype("float32") / 255
onehot_train = keras.utils.to_categorical(y_train, 10)
onehot_test = keras.utils.to_categorical(y_test, 10)
print("pixels", scaled_train.min(), "to", scaled_train.max())
print("label", y_train[0], "->", onehot_train[0])

# %% [markdown]
# ## 建立模型，印出層表 · Build the network and print its table of layers
#
# 每層的參數可以用手算：卷積層是「濾鏡的格數 × 輸入通道 × 濾鏡數 + 偏差」，全連接層是「輸入 × 神經元 + 偏差」。
#
# The parameters of each layer can be counted by hand: cells of a filter × input channels × filters
# + biases for a convolution, and inputs × neurons + biases for a dense layer.

# %%
from keras import layers


def two_convolutions():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 5, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(36, 5, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(2, name="pool2"),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="mnist_2conv",
    )


model = two_convolutions()
model.summary(line_length=80)
assert model.count_params() == 242_062

# %%
counts = {
    "conv1": convlens.sizes.conv_params(5, 1, 16),
    "conv2": convlens.sizes.conv_params(5, 16, 36),
    "dense": convlens.sizes.dense_params(7 * 7 * 36, 128),
    "softmax": convlens.sizes.dense_params(128, 10),
}
for name, count in counts.items():
    print(f"{name:8} {count}")
assert sum(count.value for count in counts.values()) == 242_062

# %% [markdown]
# 勘誤：講義印出來的層表不是這個模型的。表上有三個卷積層、64,158 個參數；程式碼只有兩個卷積層、242,062 個。
# 這個三層的模型我們也建一次，後面再訓練看看。
#
# Erratum: the table of layers that the deck prints is not that of its code. The table has three
# convolutions and 64,158 parameters; the code has two convolutions and 242,062 parameters. We build
# the network of the table here as well, and train it further below.

# %%
printed = convlens.create_model("mnist_3conv")
assert printed.count_params() == 64_158
print([f"{layer.name} {tuple(layer.output.shape[1:])}" for layer in printed.layers])

# %% [markdown]
# ## 訓練 · Train, and watch every epoch
#
# 損失是交叉熵，優化器是 Adam，批次 300，10 個回合（epoch），五分之一當驗證集。
# 注意：`validation_split` 拿的是資料「最後」的五分之一，不是隨機抽的；資料若照類別排好，就會出事。MNIST 是混好的。
#
# The loss is cross-entropy, the optimizer is Adam, and there are batches of 300, 10 epochs, and a
# fifth of the images for validation. Note that `validation_split` takes the *last* fifth and does
# not draw it at random. If the images were sorted by class, this would go wrong; the images of
# MNIST are mixed.

# %%
print("the first labels:", y_train[:20].tolist())
epochs, batch_size = (4, 64) if lesson.quick else (10, 300)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
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
# 勘誤：講義把驗證曲線標成「測試」。那是從訓練資料切出來的驗證集；測試集到下一節才第一次用。
#
# Erratum: the deck calls the validation curve "test". It belongs to images that were held back from
# the training images; the test set is used for the first time in the next section.

# %%
validation = fitted.history["val_accuracy"]
print(
    f"best epoch {np.argmax(validation) + 1}: validation {max(validation):.2%}; the last {validation[-1]:.2%}"
)
lesson.show(plots.show_metrics(fitted.history), "history")

# %% [markdown]
# ## 用測試集評估 · Evaluate on the test set
#
# 準確率是一個估計值：一萬張裡對了幾張。95 % 信賴區間說出它有多準。講義的結果是 99.12 %。
#
# An accuracy is an estimate: the share of so many images that were classified correctly. The 95 %
# confidence interval says how precise it is. The deck's result is 99.12 %.

# %%
loss, right = model.evaluate(scaled_test, onehot_test, verbose=0)
probabilities = model.predict(scaled_test, verbose=0)
predicted = probabilities.argmax(axis=1)
print(f"test loss {loss:.4f}, accuracy {right:.4f}")
lesson.compare(
    "MNIST, two convolutions",
    metrics.accuracy(y_test, predicted),
    data="mnist",
    deck=0.9912,
    seconds=seconds,
)

# %% [markdown]
# ## 預測，看前十張 · Predict and show the first images
#
# `predict_classes` 已經不在：改用 `predict(...).argmax(axis=1)`。標題是「預測（真正）」，答錯的是紅色。
#
# `predict_classes` is gone: use `predict(...).argmax(axis=1)` instead. A title shows "predicted
# (true)", in red for a mistake. The first ten images are followed by ten misclassified ones.

# %%
print("first ten:", predicted[:10].tolist(), " labels:", y_test[:10].tolist())
wrong = np.flatnonzero(predicted != y_test)[:10]
shown = np.concatenate([np.arange(10), wrong])
lesson.show(
    plots.show_images(x_test[shown], y_test[shown], probabilities=probabilities[shown], columns=10),
    "predictions",
)

# %% [markdown]
# ## 混淆矩陣 · The confusion matrix
#
# 列是真正的數字，欄是預測的數字；對角線以外都是錯的。
#
# Rows are the true digits, and columns are the predicted ones; everything off the diagonal is a
# mistake.

# %%
matrix = metrics.confusion_matrix(y_test, predicted, 10)
mistakes = matrix - np.diag(np.diag(matrix))
row, column = np.unravel_index(mistakes.argmax(), mistakes.shape)
print(
    f"{int(mistakes.sum())} mistakes; most often a {row} was read as {column}: {mistakes[row, column]} times"
)
lesson.show(plots.show_confusion(matrix, [str(digit) for digit in range(10)]), "confusion")

# %% [markdown]
# ## 訓練之後的濾鏡 · The filters after training
#
# 同一張數字、同樣 16 個位置，現在是學出來的濾鏡：有的找邊緣，有的找筆畫的某個方向。
#
# The same digit with the 16 learned filters of the first layer: some find edges, and some find
# strokes of one direction.

# %%
learned = maps_of(model.get_layer("conv1"), x_test[0])
lesson.show(plots.show_images([x_test[0], *learned], columns=9), "learned_filters")

# %% [markdown]
# ## 同一件事，用 convlens · The same with convlens
#
# 上面這一整段，在 convlens 是一個函式；它留下最好的回合、附區間的報告，以及任何人打得開的模型檔。
# 這裡用它訓練講義印出來的那個三層模型：講義沒有給它的結果。
#
# All of the above is one function of convlens. It keeps the best epoch, a report with intervals,
# and a model file that anyone can open. Here it trains the network of the deck's printed table, for
# which the deck gives no result.

# %%
config = convlens.Config().replace(
    model="mnist_3conv",
    optimizer="adam",
    schedule="constant",
    augment="none",
    epochs=epochs,
    batch_size=batch_size,
)
run = convlens.train(lesson.data("mnist"), config, run=lesson.place("mnist_3conv"))
lesson.compare("MNIST, the network of the printed table", run, data="mnist")

# %% [markdown]
# ## 變過的數字：MLP 與 CNN · Changed digits: MLP against CNN
#
# 回到開頭的問題：訓練時沒見過的平移、縮放、歪斜、加粗，模型撐得住多少？
# 測試圖照開頭那四種方式改，量準確率。比較的是上面訓練好的 CNN，和一個只有全連接層的 MLP。
#
# Back to the question of the beginning: how well does a network cope with shifting, scaling,
# skewing and thickening that it did not see in training? The test images are changed in these four
# ways. The CNN from above is compared with an MLP, which has only dense layers.

# %%
mlp = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Flatten(),
        layers.Dense(128, "relu"),
        layers.Dense(10, "softmax"),
    ]
)
mlp.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
mlp.fit(scaled_train, onehot_train, epochs=epochs, batch_size=batch_size, verbose=0)

few = slice(0, 400 if lesson.quick else 2000)
networks = {"CNN": model, "MLP": mlp}
panels = {}
for name, (title, amounts) in AMOUNTS.items():
    lines = {network: (amounts, []) for network in networks}
    for amount in amounts:
        moved = np.stack([change(image, **{name: amount}) for image in x_test[few, :, :, 0]])
        for network, net in networks.items():
            answers = net.predict_on_batch(moved[..., None].astype("float32") / 255).argmax(axis=1)
            lines[network][1].append(metrics.accuracy(y_test[few], answers))
    panels[title] = lines
    pairs = list(zip(lines["CNN"][1], lines["MLP"][1], strict=True))
    better, worse = sum(c.low > m.high for c, m in pairs), sum(c.high < m.low for c, m in pairs)
    print(
        f"{title}: intervals apart, CNN above MLP, at {better} of {len(pairs)} amounts; below at {worse}"
    )
    print(f"    at {amounts[-1]:g}: CNN {pairs[-1][0]}, MLP {pairs[-1][1]}")
lesson.show(
    plots.show_lines(panels, across="多少 · how much", up="準確率 · accuracy", percent=True),
    "changed_digits",
)

# %% [markdown]
# 沒有哪個模型天生不怕變化：沒看過的，要在訓練時讓它看。那就是資料增強，見第 000 與 004 課。
#
# No network is insensitive to changes by nature: changes that it has never seen have to be shown to
# it in training. This is augmentation, the subject of lessons 000 and 004.

# %% [markdown]
# ## 何時適合用 CNN，何時不適合 · When a CNN fits and when it does not
#
# CNN 假設「鄰居有關係」：影像、聲音、文字都是。表格不是：把兩欄對調，資料的意思一點也沒變。
# 實驗：把所有影像的列用同一個順序打亂，再把表格（乳癌資料，30 欄）的欄打亂，看 MLP 和 CNN 各掉多少。
#
# A CNN assumes that neighbours are related. This is so in images, sound and text, but not in a
# table: if two of its columns are swapped, its meaning stays the same. The experiment: the rows of
# all images are put into the same other order, and so are the columns of a table (breast cancer, 30
# columns). How much does each network lose?

# %%
from sklearn.datasets import load_breast_cancer

shuffled_rows = np.random.default_rng(3).permutation(28)
examples = [x_test[0], x_test[0][shuffled_rows], x_test[1], x_test[1][shuffled_rows]]
lesson.show(plots.show_images(examples, columns=4), "swapped_rows_images")

# %%


def train_and_score(middle, x, y, x_new, y_new, epochs):
    """Train layers between input and softmax; return their accuracy on new data."""
    keras.utils.set_random_seed(1)
    net = keras.Sequential(
        [keras.Input(x.shape[1:]), *middle(), layers.Dense(int(y.max()) + 1, "softmax")]
    )
    net.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    net.fit(x, y, epochs=epochs, batch_size=50, verbose=0)
    return metrics.accuracy(y_new, net.predict(x_new, verbose=0, batch_size=500).argmax(axis=1))


def mlp_layers():
    return [layers.Flatten(), layers.Dense(64, "relu")]


def cnn_2d():
    return [layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2),
            layers.Conv2D(32, 5, activation="relu"), layers.MaxPooling2D(2), layers.Flatten()]  # fmt: skip


def cnn_1d():
    return [layers.Conv1D(16, 3, activation="relu"), layers.MaxPooling1D(2),
            layers.Conv1D(32, 3, activation="relu"), layers.MaxPooling1D(2), layers.Flatten()]  # fmt: skip


many, passes = (1500, 3) if lesson.quick else (10_000, 4)
images, digits = scaled_train[:many], y_train[:many]
measured = {"影像 · images": {}, "表格 · a table": {}}
for name, rows in (("原樣 as it is", np.arange(28)), ("列打亂 rows swapped", shuffled_rows)):
    for kind, middle in (("MLP", mlp_layers), ("CNN", cnn_2d)):
        score = train_and_score(
            middle, images[:, rows], digits, scaled_test[:, rows], y_test, passes
        )
        measured["影像 · images"][f"{kind} {name}"] = score

cancer = load_breast_cancer()
drawn = np.random.default_rng(3)
order, shuffled_columns = drawn.permutation(len(cancer.target)), drawn.permutation(30)
table, target = cancer.data[order], cancer.target[order]
half = len(table) // 2
table = ((table - table[:half].mean(axis=0)) / table[:half].std(axis=0))[..., None]
for name, columns in (
    ("原樣 as it is", np.arange(30)),
    ("欄打亂 columns swapped", shuffled_columns),
):
    for kind, middle in (("MLP", mlp_layers), ("CNN", cnn_1d)):
        given = table[:, columns]
        score = train_and_score(
            middle, given[:half], target[:half], given[half:], target[half:], 10
        )
        measured["表格 · a table"][f"{kind} {name}"] = score
for kind, scores in measured.items():
    for name, score in scores.items():
        print(f"{kind:16} {name:28} {score}")
lesson.show(plots.show_scores(measured, across="準確率 · accuracy"), "swapped")

# %% [markdown]
# 怎麼讀這張圖：只有 CNN 在影像的列打亂之後該往下掉，因為它靠的就是鄰居；MLP 從來不看鄰居。
# 表格的欄打亂之後，兩者都不該有差別。區間重疊的，就是分不出來。
#
# How to read this chart: only the CNN on images is expected to lose accuracy, since it relies on
# neighbours; an MLP never looks at them. On the table, neither network should lose. Where intervals
# overlap, no difference can be claimed.

# %% [markdown]
# ## 結果 · Results

# %%
lesson.table()

# %% [markdown]
# # 002 從全連接層到卷積層 · From dense layers to convolution
#
# 第 002 份講義用 R 寫 Keras：先用全連接網路分類 Fashion-MNIST 的衣物，再用卷積網路辨認 MNIST 的數字。
# 這裡改用 Python。從 R 改寫成 Python，有兩件事要小心：
# R 的索引從 1 開始，標籤卻從 0 開始，所以講義裡常常要「減 1」；
# 當年 R 版 `optimizer_adadelta()` 的學習率是 1.0，今天 Keras 的預設值是 0.001。
#
# Deck 002 uses Keras in R: first a network of dense layers for the clothes of Fashion-MNIST, then a
# convolutional network for the digits of MNIST. Here it is rewritten in Python. Two things need
# care: arrays of R are numbered from 1, but the labels from 0, which is why the deck often
# subtracts 1; and the learning rate of R's `optimizer_adadelta()` was 1.0, whereas the default of
# today's Keras is 0.001.

# %%
import time

import numpy as np
from PIL import Image

import convlens
from convlens import arithmetic, metrics, plots, stacks, views

lesson = convlens.Lesson("002")

import keras
from keras import layers

keras.utils.set_random_seed(2)

# %% [markdown]
# ## 安裝測試的網路 · The network of the installation test
#
# 講義用一個小網路確認 Keras 裝好了：兩個全連接層（256、128 個神經元），後面各接一個丟棄層。
# 模型建得起來，參數量也正確，就表示安裝成功。丟棄層沒有參數；全連接層的參數量是「輸入數 × 神經元數 + 偏差數」。
#
# The deck checks the installation of Keras with a small network: dense layers of 256 and 128
# neurons, each followed by dropout. If it can be built and has the right number of parameters, the
# installation works. Dropout has no parameters; a dense layer has inputs × neurons + biases.

# %%
test_network = keras.Sequential(
    [
        keras.Input((784,)),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.4),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(10, activation="softmax"),
    ]
)
test_network.summary(line_length=80)
for inputs, units in ((784, 256), (256, 128), (128, 10)):
    print(convlens.sizes.dense_params(inputs, units))
assert test_network.count_params() == 235_146
assert convlens.create_model("mlp_256_128").count_params() == 235_146

# %% [markdown]
# ## 載入 Fashion-MNIST，看形狀與影像 · Load Fashion-MNIST, look at shapes and images
#
# 十種衣物的灰階影像，大小是 28×28；訓練集有 60,000 張，測試集有 10,000 張。
#
# There are ten kinds of clothes, as grey images of 28×28 pixels: 60,000 training images and 10,000
# test images.
#
# 勘誤：講義的註記寫「60000萬筆」，多了一個「萬」字；是 60,000 筆。
#
# Erratum: a note in the deck counts 60,000 times ten thousand images; it is 60,000.
#
# 勘誤：講義把影像陣列寫成（筆數、圖寬、圖高），順序反了；是（張數、高、寬），先列後欄。
#
# Erratum: the deck gives the array of the images as (images, width, height); it is (images, height,
# width), rows before columns.

# %%
fashion = lesson.data("fashion_mnist")
(x_train, y_train), (x_test, y_test) = lesson.arrays("fashion_mnist")
print("x_train", x_train.shape, " y_train", y_train.shape)
print("x_test ", x_test.shape, " y_test ", y_test.shape)
print("y_train[:20]", y_train[:20].tolist())
print("class_names", ", ".join(fashion.class_names))
lesson.show(plots.show_images(x_train, y_train, n=16, class_names=fashion.class_names), "fashion")

# %% [markdown]
# ## 縮放與標籤 · Scale, and labels as they are
#
# 像素除以 255。這次標籤不做 one-hot 編碼：`sparse_categorical_crossentropy` 直接接受 0 到 9 的整數，
# 算出的損失與 one-hot 標籤配 `categorical_crossentropy` 完全相同。
#
# The pixels are divided by 255. This time the labels are not one-hot:
# `sparse_categorical_crossentropy` takes the numbers 0 to 9 as they are, and gives the same loss as
# `categorical_crossentropy` with one-hot labels.

# %%
scaled_train = x_train.astype("float32") / 255
scaled_test = x_test.astype("float32") / 255
answer = np.array([[0.1, 0.7, 0.2]])
sparse = keras.losses.SparseCategoricalCrossentropy()(np.array([1]), answer)
onehot = keras.losses.CategoricalCrossentropy()(np.array([[0, 1, 0]]), answer)
print(f"sparse {float(sparse):.6f}   one-hot {float(onehot):.6f}   -ln 0.7 = {-np.log(0.7):.6f}")

# %% [markdown]
# ## 建立、訓練 MLP · Build and train the MLP
#
# 網路是展平層、128 個神經元的全連接層與 softmax，一共有 101,770 個參數。
# 用 Adam，批次大小 32（Keras 的預設值），訓練 5 個回合。講義沒有切出驗證集，這裡也不切。
#
# A flatten layer, 128 neurons and a softmax have 101,770 parameters. We use Adam, batches of 32
# (the default of Keras) and 5 epochs. The deck holds back no images for validation, and neither do
# we here.

# %%


def fashion_mlp():
    return keras.Sequential(
        [
            keras.Input(x_train.shape[1:]),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="fashion_mlp",
    )


mlp = fashion_mlp()
mlp.summary(line_length=80)
assert mlp.count_params() == 101_770
mlp.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
began = time.perf_counter()
fitted = mlp.fit(scaled_train, y_train, epochs=5, verbose=2)
seconds = time.perf_counter() - began

# %%
lesson.show(plots.show_metrics(fitted.history), "fashion_history")

# %% [markdown]
# ## 評估 · Evaluate
#
# 講義的準確率：訓練 89.16 %，測試 87.37 %。兩者的差距是過度擬合的徵兆：網路也學到了訓練影像裡一些偶然的特徵。
# 訓練準確率是在回合進行中算的，是最後一個回合的平均。
#
# The deck's accuracy is 89.16 % in training and 87.37 % in the test. The gap is a sign of
# overfitting: the network has also learned some peculiarities of the training images. The training
# accuracy is computed while the network learns, as the mean of the last epoch.

# %%
loss, _ = mlp.evaluate(scaled_test, y_test, verbose=0)
probabilities = mlp.predict(scaled_test, verbose=0)
predicted = probabilities.argmax(axis=1)
lesson.say(
    "accuracy in the last training epoch {train:.2%}; test loss {loss:.4f}",
    train=fitted.history["accuracy"][-1],
    loss=loss,
)
lesson.compare(
    lesson.text("Fashion-MNIST, MLP"),
    metrics.accuracy(y_test, predicted),
    data="fashion_mnist",
    deck=0.8737,
    seconds=seconds,
)
if lesson.stands_in("fashion_mnist"):
    lesson.say(
        "Two full runs on Fashion-MNIST (60,000 images, seed 2) got 87.35 % and 87.09 % of 10,000 "
        "test images, and 89.22 % in the last training epoch of the first."
    )

# %% [markdown]
# ## 預測前 25 張，答錯的標成紅色 · Predict the first 25, with mistakes in red
#
# 先看一張：輸出是十個機率，機率最大的類別就是預測。
#
# First a single image: there are ten probabilities, and the class with the largest one is the
# prediction.
#
# 勘誤：講義把 `predict_classes` 的輸出註解成「標準答案」。那是模型的預測；標準答案是 `test_labels`。
#
# Erratum: the deck calls the output of `predict_classes` the correct answer. It is the prediction
# of the network; the correct answer is in `test_labels`.

# %%
for name, probability in zip(fashion.class_names, probabilities[0], strict=True):
    print(f"{name:12} {probability:.4f}")
lesson.say(
    "predicted {predicted}, label {label}",
    predicted=fashion.class_names[predicted[0]],
    label=fashion.class_names[y_test[0]],
)

# %%
lesson.show(
    plots.show_images(
        x_test,
        y_test,
        n=25,
        probabilities=probabilities,
        class_names=fashion.class_names,
        columns=5,
    ),
    "fashion_predictions",
)

# %% [markdown]
# ## 自己的照片 · An image of one's own
#
# 自己的照片與訓練影像不同：大小不一、有顏色，而且常常是淺色背景、深色物體。
# 預測之前，要處理成與訓練影像相同的樣子：灰階、28×28、黑底白物、像素除以 255。
# 這裡把一張測試影像放大、反白、存成彩色的 PNG，當作「自己的照片」；換成自己的檔名即可。
#
# A photograph differs from the training images: it has another size, it is in colour, and it is
# often dark on light. It has to be prepared as they were: grey, 28×28, light on dark, divided by
# 255. Here a test image that is enlarged, inverted and saved in colour serves as the photograph;
# replace it by the name of your file.

# %%
photograph = lesson.place("photograph.png")
photograph.parent.mkdir(parents=True, exist_ok=True)
Image.fromarray(255 - x_test[0, :, :, 0]).resize((280, 280), Image.Resampling.BICUBIC).convert(
    "RGB"
).save(photograph)

seen = np.asarray(Image.open(photograph).convert("L").resize((28, 28), Image.Resampling.BILINEAR))
seen = 255 - seen if seen.mean() > 127 else seen
own = mlp.predict(seen[None, :, :, None].astype("float32") / 255, verbose=0)[0]
untouched = np.asarray(Image.open(photograph).convert("L").resize((28, 28)))
careless = mlp.predict(untouched[None, :, :, None].astype("float32"), verbose=0)[0]
lesson.say("label: {name}", name=fashion.class_names[y_test[0]])
lesson.say(
    "prepared as the training images were: {name}, probability {probability:.1%}",
    name=fashion.class_names[own.argmax()],
    probability=own.max(),
)
lesson.say(
    "not inverted and not divided by 255: {name}, probability {probability:.1%}",
    name=fashion.class_names[careless.argmax()],
    probability=careless.max(),
)
if lesson.stands_in("fashion_mnist"):
    lesson.say(
        "The full run on Fashion-MNIST, label Ankle boot: Ankle boot, 93.4 %, for the prepared "
        "photograph; Bag, 100.0 %, for the other."
    )
lesson.show(plots.show_images([untouched, seen], columns=2), "photograph")

# %% [markdown]
# ## 誤差與損失函數 · Errors and losses
#
# 訓練就是找出讓損失最小的權重。下面對三組預測計算幾種損失：第一組答對，第二、三組答錯，而且信心越來越高。
# 分類問題用交叉熵：實際類別的機率越接近 0，交叉熵越大，沒有上限。
# 平方誤差與絕對誤差有上限，第二、三組之間幾乎沒有差別。
#
# Training looks for the weights with the smallest loss. Here several losses are computed for three
# predictions: the first is right, the second and third are wrong, with growing confidence.
# Classification uses cross-entropy: it grows without bound as the probability of the true class
# approaches 0. The squared and the absolute error are bounded, and hardly tell the second from the
# third.
#
# | | 損失 · loss | 每一項 · each term | |
# |---|---|---|---|
# | `squared` | 均方誤差 mean squared error | (t − p)² | 平均 mean |
# | `half-squared` | 平方誤差的一半 half of the squared error | ½ (t − p)² | 總和 sum |
# | `absolute` | 絕對誤差 absolute error | abs(t − p) | 平均 mean |
# | `root-mean-square` | 均方根誤差 root-mean-square error | (t − p)² | 平均的平方根 root of the mean |
# | `binary-crossentropy` | 二元交叉熵 binary cross-entropy | −t ln p − (1 − t) ln (1 − p) | 平均 mean |
# | `categorical-crossentropy` | 多類別交叉熵 categorical cross-entropy | −t ln p | 總和 sum |
#
# t 是目標，p 是預測的機率。
#
# t is the target and p the predicted probability.

# %%
targets = [0, 1, 0]
predictions = ([0.2, 0.7, 0.1], [0.98, 0.01, 0.01], [0.9998, 0.0001, 0.0001])
losses = {
    name: [float(arithmetic.loss(name, targets, given).value) for given in predictions]
    for name in arithmetic.LOSSES
}
lesson.say("probability of the true class: .7, .01 and .0001")
for name, values in losses.items():
    print(f"{name:25}", "".join(f"{value:9.4f}" for value in values))
assert losses["categorical-crossentropy"][2] > 1.9 * losses["categorical-crossentropy"][1]
assert losses["squared"][2] < 1.04 * losses["squared"][1]
assert losses["absolute"][2] < 1.04 * losses["absolute"][1]

# %% [markdown]
# ## 步長太小與太大 · A step too small and too large
#
# 最佳化器沿著梯度的反方向更新權重，學習率決定步長。
# 學習率太小，損失降得很慢；太大，一步就跨過谷底，損失反而升到亂猜的水準之上。
# 實驗：同一個網路、同樣的起點，只改學習率，記錄每個回合的訓練損失。十類亂猜的損失是 ln 10 = 2.303。
#
# An optimizer changes the weights against the gradient, and the learning rate says how far. If it
# is too small, the loss falls slowly; if it is too large, a step crosses the valley, and the loss
# rises above that of guessing. The experiment: the same network from the same start, with different learning rates; we
# measure the training loss of every epoch. Guessing among ten classes has a loss of ln 10 = 2.303.

# %%
RATES = {"SGD": (0.0005, 0.05, 5.0), "Adadelta": (0.001, 1.0, 300.0)}
some, passes = (1500, 6) if lesson.quick else (10_000, 15)
epochs = list(range(1, passes + 1))
panels = {}
for name, rates in RATES.items():
    panels[name] = {}
    for rate in rates:
        keras.utils.set_random_seed(2)
        network = fashion_mlp()
        optimizer = getattr(keras.optimizers, name)(rate)
        network.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
        losses = network.fit(
            scaled_train[:some], y_train[:some], epochs=passes, batch_size=100, verbose=0
        ).history["loss"]
        panels[name][f"{rate:g}"] = (epochs, losses)
        lesson.say(
            "{name}, learning rate {rate:g}: loss {first:.3f} in epoch 1, {last:.3f} in epoch {epochs}",
            name=name,
            rate=rate,
            first=losses[0],
            last=losses[-1],
            epochs=passes,
        )
lesson.show(
    plots.show_lines(
        panels, across=lesson.text("epoch"), up=lesson.text("training loss"), log=True
    ),
    "learning_rates",
)

# %% [markdown]
# ## Adadelta 的陷阱 · The trap of Adadelta
#
# 講義的 CNN 用 `optimizer_adadelta()`，沒有寫學習率；當年 R 版的預設值是 1.0。
# 照抄到今天的 Keras，學習率就變成 0.001，也就是上面右圖裡降得很慢的那條線。
# convlens 的 `--optimizer adadelta` 預設值是 1.0。
#
# The deck's CNN uses `optimizer_adadelta()` without a learning rate; the default of R was 1.0 at
# that time. Copied to today's Keras it means 0.001, which is the line on the right above that
# falls slowly. The default of `--optimizer adadelta` in convlens is 1.0.

# %%
theirs, ours = (
    float(keras.optimizers.Adadelta().learning_rate),
    convlens.config.LEARNING_RATES["adadelta"],
)
print(f"Keras: {theirs:g}   convlens: {ours:g}")
slow, right = (panels["Adadelta"][rate][1][-1] for rate in ("0.001", "1"))
lesson.say(
    "loss in epoch {epochs}: {slow:.3f} with 0.001, {right:.3f} with 1.0",
    epochs=passes,
    slow=slow,
    right=right,
)
if lesson.stands_in("fashion_mnist"):
    lesson.say(
        "The full run (10,000 images of Fashion-MNIST, 15 epochs, seed 2) got a loss of 2.006 with "
        "0.001, and 0.285 with 1.0."
    )

# %% [markdown]
# ## CNN 的由來：從低階特徵到高階特徵 · Where CNNs come from: from low features to high ones
#
# 1959 到 1962 年，Hubel 與 Wiesel 在貓的視覺皮質量到：有些神經元只對某個方向的線條或邊緣有反應。
# 他們認為，下一級的神經元是把這些反應組合起來的。
# CNN 的安排很像：前面的卷積層找明暗與邊緣，後面的層把邊緣組合成形狀、零件、物體。
# 它適合分類影像、影片、文字、聲音，這些資料裡相鄰的值彼此有關；也用在偵測、分割等工作。
#
# From 1959 to 1962 Hubel and Wiesel measured in the visual cortex of cats that some neurons respond
# only to lines or edges of one direction. They proposed that the neurons of the next stage combine
# such responses. A CNN is arranged similarly: its first layers find light, dark and edges, and
# later layers combine edges into shapes, parts and objects. It is suitable for classifying images,
# video, text and sound, where neighbouring values are related, and also for tasks such as detection
# and segmentation.
#
# 勘誤：講義把 Wiesel 拼成 Weisel。
#
# Erratum: the deck spells Wiesel as Weisel.
#
# 三個人工設計的濾鏡就能找出邊緣：
#
# Three filters designed by hand are enough to find edges:

# %%
image = x_test[0, :, :, 0].astype(float)
answers = [image]
for name in ("sobel-x", "sobel-y", "edges"):
    kernel = convlens.get_filter(name)[..., 0].astype(float)
    response = np.abs(arithmetic.convolve(image, kernel, padding="same").output[..., 0])
    answers.append(255 * response / response.max())
names = [lesson.text("image"), "sobel-x", "sobel-y", "edges"]
shown = np.asarray(answers).astype(np.uint8)
lesson.show(plots.show_images(shown, range(4), class_names=names, columns=4), "edges")

# %% [markdown]
# ## 三種層 · Three kinds of layers
#
# 卷積層學習特徵；池化層縮小特徵圖；全連接層就是前面的 MLP，用特徵分類。前兩種可以重複好幾次。
#
# Convolution layers learn features; pooling layers make feature maps smaller; dense layers are the
# MLP of before, which uses the features to classify. The first two may be repeated several times.
#
# ## LeNet 的尺寸 · The sizes of LeNet
#
# 不補邊的卷積：輸出邊長 = 輸入邊長 − 濾鏡邊長 + 1。5×5 的影像配 3×3 的濾鏡，得到 3×3。
# 2×2 的池化再把邊長減半。所以 LeNet 的邊長是 32 → 28 → 14 → 10 → 5。
#
# For a convolution without padding, the side of the output is input − filter + 1: a 5×5 image
# with a 3×3 filter gives 3×3. Pooling of 2×2 then halves the side. So the sides of LeNet's
# feature maps are 32 → 28 → 14 → 10 → 5.
#
# 勘誤：講義這張圖有兩個 S1；產生 5×5 特徵圖的第二個池化層是 S2。
#
# Erratum: this figure of the deck has two layers S1; the second pooling layer, which makes maps of
# 5×5, is S2.

# %%
print(convlens.sizes.lay_windows(5, 3, 1, "valid").formula)
assert convlens.sizes.lay_windows(5, 3, 1, "valid").count == 3
lenet = stacks.measure(stacks.read_layers(stacks.STACKS["lenet"][0]), 32, 1)
assert [layer.shape[0] for layer in lenet[:4]] == [28, 14, 10, 5]
lesson.show(views.sizes_page([("LeNet", lenet)], "32 x 32"), "lenet_sizes")

# %% [markdown]
# 畫成圖：特徵圖一層比一層小，最後展平成一個向量。
#
# As a figure: the feature maps become smaller from layer to layer, and are flattened to a vector.

# %%
lenet_network = keras.Sequential(
    [
        keras.Input((32, 32, 1)),
        layers.Conv2D(6, 5),
        layers.AveragePooling2D(2),
        layers.Conv2D(16, 5),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(120),
        layers.Dense(84),
        layers.Dense(10),
    ]
)
lesson.show(plots.show_path(lenet_network), "lenet_path")

# %% [markdown]
# ## 建立 CNN，算參數 · Build the CNN, count its parameters
#
# 網路依序是 32 個 3×3 的濾鏡、64 個 3×3 的濾鏡（都不補邊）、2×2 最大池化、丟棄率 0.25、展平、
# 128 個神經元的全連接層、丟棄率 0.5、softmax。
#
# The network has 32 filters of 3×3, 64 filters of 3×3 (both without padding), 2×2 max pooling,
# dropout of 0.25, a flatten layer, 128 neurons, dropout of 0.5 and a softmax.
#
# 勘誤：講義把第二個卷積層的參數量寫成 32*(24*24)+64。它也等於 18,496，純屬巧合：24×24 = 576，剛好是 3×3×64。
# 正確的算法是 3×3×32×64 + 64；參數量跟特徵圖的大小（24×24）無關。
#
# Erratum: the deck writes 32*(24*24)+64 for the parameters of the second convolution. That this is
# also 18,496 is a coincidence: 24×24 = 576 happens to equal 3×3×64. The right formula is 3×3×32×64
# + 64, and does not depend on the size of the feature map, 24×24.
#
# 勘誤：展平之後的節點數，講義的圖上寫 12*12*24；是 12×12×64 = 9,216。
#
# Erratum: a figure of the deck gives the flattened size as 12*12*24; it is 12×12×64 = 9,216.

# %%
# The two are equal by chance: with images of another size they would not be.
assert 32 * (24 * 24) + 64 == 3 * 3 * 32 * 64 + 64 == 18_496
counts = {
    "conv1": convlens.sizes.conv_params(3, 1, 32),
    "conv2": convlens.sizes.conv_params(3, 32, 64),
    "dense1": convlens.sizes.dense_params(12 * 12 * 64, 128),
    "logits": convlens.sizes.dense_params(128, 10),
}
for name, count in counts.items():
    print(f"{name:8} {count}")
cnn = convlens.create_model("mnist_conv_3x3")
assert cnn.count_params() == sum(count.value for count in counts.values()) == 1_199_882
assert cnn.get_layer("flatten").output.shape[1] == 9_216
cnn.summary(line_length=80)
lesson.show(plots.show_path(cnn), "cnn_path")

# %% [markdown]
# convlens 的模型輸出 logit，softmax 由分類器計算；參數量不變。
#
# The networks of convlens end in logits, and the classifier computes the softmax; the number of
# parameters is the same.
#
# ## 訓練 CNN 與 MLP · Train the CNN and the MLP
#
# 講義用 Adadelta，學習率 1.0，批次大小 128，訓練 12 個回合，五分之一的影像作驗證，測試準確率是 99.09 %。
# 講義還引用「MLP 98.18 %」，但沒有說明架構與訓練方式；這裡用安裝測試的那個 MLP，其他設定與 CNN 完全相同。
#
# The deck uses Adadelta with a learning rate of 1.0, batches of 128, 12 epochs, and a fifth of the
# images for validation. Its test accuracy is 99.09 %. It also gives "MLP 98.18 %", but neither the
# layers nor the recipe; we take the MLP of the installation test, with the same settings as for the
# CNN.

# %%
mnist = lesson.data("mnist")
config = convlens.Config().replace(
    optimizer="adadelta",
    schedule="constant",
    augment="none",
    batch_size=32 if lesson.quick else 128,
    epochs=3 if lesson.quick else 12,
    limit=1200 if lesson.quick else None,
)
runs = {}
runs["CNN"] = convlens.train(
    mnist, config.replace(model="mnist_conv_3x3"), run=lesson.place("mnist_conv_3x3")
)
lesson.compare(lesson.text("MNIST, CNN with Adadelta 1.0"), runs["CNN"], data="mnist", deck=0.9909)

# %%
runs["MLP"] = convlens.train(
    mnist, config.replace(model="mlp_256_128"), run=lesson.place("mlp_256_128")
)
lesson.compare(
    lesson.text("MNIST, MLP (its layers are not given)"), runs["MLP"], data="mnist", deck=0.9818
)

# %% [markdown]
# ## MLP 對 CNN · MLP against CNN
#
# 兩個網路考同一份考卷：只看「一個答對、另一個答錯」的影像，就能檢定差距是否出於偶然（McNemar 精確檢定）。
# 第 000 份講義也有同樣的比較：MLP 96.5 %，CNN 99.6 %。
#
# Both networks predict the same test images. Only the images that one of them classifies correctly
# and the other does not tell whether the difference is more than chance (exact McNemar test). Deck
# 000 makes the same comparison: MLP 96.5 %, CNN 99.6 %.

# %%
test = runs["CNN"].data["splits"]["test"]
assert test == runs["MLP"].data["splits"]["test"]
images, labels = np.asarray(mnist.images)[test][..., None], mnist.labels[test]
right = [run.classifier().probabilities(images).argmax(axis=1) == labels for run in runs.values()]
print(convlens.compare_pairs(list(runs), np.array(right))[0])
for name, run in runs.items():
    lesson.say(
        "{name}: {parameters:,} parameters, {seconds:.0f} s",
        name=name,
        parameters=run.report["parameters"],
        seconds=sum(row["seconds"] for row in run.history),
    )
if lesson.stands_in("mnist"):
    lesson.say(
        "The full run (48,000 images, 12 epochs, seed 0) got 99.16 % with the CNN and 97.71 % with "
        "the MLP, of 10,000 test images; p < 0.0001."
    )

# %% [markdown]
# 驗證準確率可能比訓練準確率高：訓練準確率是在回合進行中算的，那時丟棄層有作用，權重也還在變。
#
# The validation accuracy may be higher than the training accuracy, which is computed during the
# epoch, with dropout and while the weights still change.

# %%
lines = {}
for name, run in runs.items():
    epochs = [row["epoch"] for row in run.history]
    lines[lesson.text("{name}, training", name=name)] = (
        epochs,
        [row["accuracy"] for row in run.history],
    )
    lines[lesson.text("{name}, validation", name=name)] = (
        epochs,
        [row["val_accuracy"] for row in run.history],
    )
lesson.show(
    plots.show_lines(
        {"": lines}, across=lesson.text("epoch"), up=lesson.text("accuracy"), percent=True
    ),
    "mlp_cnn",
)

# %% [markdown]
# ## 學到的特徵：第一層與第二層 · What was learned: the first layer and the second
#
# 同一張影像，兩個卷積層各畫出 16 張特徵圖（平均值最大的）。
# 第一層的特徵圖大多看得出整個數字；第二層的許多特徵圖只對某些筆畫有反應。
#
# For one image, the 16 feature maps with the largest mean are shown for each convolution. Most maps
# of the first layer still show the whole digit; many of the second respond only to certain
# strokes.

# %%
network = runs["CNN"].classifier().model
outputs = [network.get_layer(name).output for name in ("conv1", "conv2")]
found = keras.Model(network.input, outputs).predict_on_batch(images[:1])
shown = [images[0]]
for maps in found:
    strongest = np.argsort(-maps[0].mean(axis=(0, 1)))[:16]
    for number in strongest:
        one = maps[0, :, :, number]
        stretched = np.uint8(255 * one / max(one.max(), 1e-6))
        shown.append(np.pad(stretched, (28 - len(one)) // 2)[..., None])
rows = [shown[0], *shown[1:17], shown[0], *shown[17:]]
lesson.show(plots.show_images(rows, columns=17), "feature_maps")

# %% [markdown]
# 一張影像走過整個網路：每張特徵圖都是實際的值，最後是十個機率。
#
# The figure shows how one image passes through the whole network: every feature map has its real
# values, and the last layer has the ten probabilities.

# %%
lesson.show(plots.show_path(network, images[0], class_names=mnist.class_names), "image_path")

# %% [markdown]
# ## 超參數清單 · The list of hyper-parameters
#
# 訓練學到的是權重；下面這些超參數由人決定，或用 `convlens search` 搜尋。
#
# Training learns the weights. The following settings have to be chosen by a person, or found by
# `convlens search`.
#
# | 超參數 | hyper-parameter | 講義的 CNN · the deck's CNN | `convlens train --model custom_cnn` |
# |---|---|---|---|
# | 濾鏡數 | number of filters | 32, 64 | `--filters 32,64` |
# | 濾鏡的大小 | size of the filters | 3×3 | `--kernel-size` |
# | 步幅 | strides | 1 | `--strides` |
# | 補邊 | padding | valid | `--padding` |
# | 池化的種類 | type of pooling | max | `--pooling` |
# | 池化的大小 | size of pooling | 2×2 | `--pool-size` |
# | 池化的步幅 | strides of pooling | 2 | `--pool-strides` |
# | 初始化方法 | initializer | Glorot uniform | `--initializer` |
# | 活化函數 | activation function | ReLU | `--activation` |
# | 丟棄率 | dropout | 0.25, 0.5 | `--dropout` |
# | 損失函數 | loss | 交叉熵 cross-entropy | 交叉熵 cross-entropy |
# | 最佳化器與學習率 | optimizer, learning rate | Adadelta, 1.0 | `--optimizer`, `--learning-rate` |
# | 批次大小 | batch size | 128 | `--batch-size` |
# | 回合數 | epochs | 12 | `--epochs` |
# | 層的順序 | order of the layers | 卷積 卷積 池化 conv conv pool | `--convs-per-block` |
#
# ## 結果 · Results

# %%
lesson.table()

# %% [markdown]
# # 002 從全連接層到卷積層 · From dense layers to convolution
#
# 第 002 份講義用 R 寫 Keras：先用全連接網路認 Fashion-MNIST 的衣服，再用卷積網路認 MNIST 的數字。
# 這裡改寫成 Python。從 R 搬過來要小心兩件事：R 從 1 數起，所以講義到處要「減 1」；
# R 版 `optimizer_adadelta()` 的學習率是 1.0，今天 Keras 的預設卻是 0.001。
#
# Deck 002 uses Keras in R: first a network of dense layers for the clothes of Fashion-MNIST, then a
# convolutional network for the digits of MNIST. Here it is rewritten in Python. Two things need
# care: R counts from 1, which is why the deck subtracts 1 in many places; and the learning rate of
# R's `optimizer_adadelta()` was 1.0, whereas the default of today's Keras is 0.001.

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
# 講義用一個小網路確認 Keras 裝好了：兩個全連接層（256、128），各接一個丟棄層。建得出來、數得對，就是裝好了。
#
# The deck checks the installation of Keras with a small network: dense layers of 256 and 128
# neurons, each followed by dropout. If it can be built and its parameters add up, Keras is
# installed correctly.

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
# ## 載入 Fashion-MNIST，看形狀與圖 · Load Fashion-MNIST, look at shapes and images
#
# 十種衣物，28×28 的灰階圖，訓練集六萬張、測試集一萬張。
#
# There are ten kinds of clothes, as grey images of 28×28 pixels: 60,000 training images and 10,000
# test images.
#
# 勘誤：講義的註記寫「60000萬筆」，多了一個「萬」字；是六萬筆。
#
# Erratum: a note in the deck counts 60,000 times ten thousand images; it is 60,000.

# %%
fashion = lesson.data("fashion_mnist")
(x_train, y_train), (x_test, y_test) = lesson.arrays("fashion_mnist")
print("x_train", x_train.shape, " y_train", y_train.shape, " first labels", y_train[:20].tolist())
print("x_test ", x_test.shape, " y_test ", y_test.shape)
print("class names:", ", ".join(fashion.class_names))
lesson.show(plots.show_images(x_train, y_train, n=16, class_names=fashion.class_names), "fashion")

# %% [markdown]
# ## 縮放與標籤 · Scale, and labels as they are
#
# 像素除以 255。這次標籤不做 one-hot：`sparse_categorical_crossentropy` 直接吃 0 到 9 的整數，算出來一模一樣。
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
print(
    f"sparse {float(sparse):.6f}, one-hot {float(onehot):.6f}, by hand -ln 0.7 = {-np.log(0.7):.6f}"
)

# %% [markdown]
# ## 建立、訓練 MLP · Build and train the MLP
#
# 展平、128 個神經元、softmax：101,770 個參數。Adam、批次 32（Keras 的預設）、5 個回合。
# 講義沒有切驗證集；我們也不切，直到下面比較的時候。
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
# 講義：訓練 89.16 %，測試 87.37 %。兩者的差距，就是過擬合的開始：網路記住了訓練圖的一些偶然。
#
# The deck's accuracy is 89.16 % in training and 87.37 % in the test. The gap is where overfitting
# begins: the network has also learned some peculiarities of the training images.

# %%
loss, _ = mlp.evaluate(scaled_test, y_test, verbose=0)
probabilities = mlp.predict(scaled_test, verbose=0)
predicted = probabilities.argmax(axis=1)
print(
    f"test loss {loss:.4f}; accuracy in the last training epoch {fitted.history['accuracy'][-1]:.2%}"
)
lesson.compare(
    "Fashion-MNIST, MLP",
    metrics.accuracy(y_test, predicted),
    data="fashion_mnist",
    deck=0.8737,
    seconds=seconds,
)

# %% [markdown]
# ## 預測：前 25 張，錯的標紅 · Predict: the first 25, red where wrong
#
# 先看一張：十個機率，最大的就是答案。
#
# First a single image: there are ten probabilities, and the class with the largest one is the
# prediction.

# %%
for name, probability in zip(fashion.class_names, probabilities[0], strict=True):
    print(f"{name:12} {probability:.4f}")
print("answer:", fashion.class_names[predicted[0]], "  label:", fashion.class_names[y_test[0]])

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
# 勘誤：講義把 `predict_classes` 的輸出註解成「標準答案」。那是模型的預測；標準答案是 `test_labels`。
#
# Erratum: the deck calls the output of `predict_classes` the correct answer. It is the prediction
# of the network; the correct answer is in `test_labels`.
#
# ## 自己的照片 · An image of one's own
#
# 照片和訓練圖不同：大小不一、彩色、常是亮底深色。要照訓練時的樣子準備：灰階、28×28、暗底亮物、除以 255。
# 這裡把一張測試圖放大、反白、存成彩色 PNG 當作「自己的照片」，換成你的檔名就行。
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
print(f"{fashion.class_names[own.argmax()]} {own.max():.1%}")
untouched = np.asarray(Image.open(photograph).convert("L").resize((28, 28)))
careless = mlp.predict(untouched[None, :, :, None].astype("float32"), verbose=0)[0]
print(
    f"not inverted, not divided by 255: {fashion.class_names[careless.argmax()]} {careless.max():.1%}"
)
lesson.show(plots.show_images([untouched, seen], columns=2), "photograph")

# %% [markdown]
# ## 誤差與損失函數 · Errors and losses
#
# 訓練就是找一個讓損失最小的函數。同一組答案，幾種誤差各算一次；分類問題用交叉熵，它對「很有把握卻答錯」罰得最重。
#
# Training looks for the function with the smallest loss. Here several losses are computed for the
# same predictions. Classification uses cross-entropy, which punishes confident mistakes most.

# %%
targets, fair, sure = [0, 1, 0], [0.2, 0.7, 0.1], [0.98, 0.01, 0.01]
print(f"{'':26}{'target 0 1 0, predicted':>26}")
print(f"{'':26}{'.2 .7 .1':>13}{'.98 .01 .01':>13}   of each term, then")
for name, (formula, reduction) in arithmetic.LOSSES.items():
    values = [float(arithmetic.loss(name, targets, given).value) for given in (fair, sure)]
    print(f"{name:26}{values[0]:13.4f}{values[1]:13.4f}   {formula}, {reduction}")

# %% [markdown]
# ## 步長太小與太大 · A step too small and too large
#
# 優化器每一步朝下坡走一段，學習率決定走多遠。太小：走不動。太大：跨過谷底，甚至越走越高。
# 實驗：同一個網路、同樣的起點，只改學習率，量每個回合的訓練損失。
#
# Every step of an optimizer goes some way downhill, and the learning rate says how far. If it is
# too small, the loss hardly changes; if it is too large, the step jumps across the valley, or even
# climbs. The experiment: the same network from the same start, with different learning rates; we
# measure the training loss of every epoch.

# %%
RATES = {"SGD": (0.0005, 0.05, 5.0), "Adadelta": (0.001, 1.0, 300.0)}
some, passes = (1500, 10) if lesson.quick else (10_000, 15)
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
        print(
            f"{name:9} {rate:<7g} loss {losses[0]:10.3f} after 1 epoch, {losses[-1]:10.3f} after {passes}"
        )
lesson.show(
    plots.show_lines(panels, across="回合 · epoch", up="訓練損失 · training loss", log=True),
    "learning_rates",
)

# %% [markdown]
# ## Adadelta 的陷阱 · The trap of Adadelta
#
# 講義的 CNN 用 `optimizer_adadelta()`，沒寫學習率；當年 R 版的預設是 1.0。照抄到今天的 Keras，拿到的是 0.001，
# 也就是上圖右邊那條幾乎不動的線。convlens 的 `--optimizer adadelta` 預設就是 1.0。
#
# The deck's CNN uses `optimizer_adadelta()` without a learning rate; the default of R was 1.0 at
# that time. Copied to today's Keras it means 0.001, which is the line on the right above that
# hardly falls. The default of `--optimizer adadelta` in convlens is 1.0.

# %%
theirs, ours = (
    float(keras.optimizers.Adadelta().learning_rate),
    convlens.config.LEARNING_RATES["adadelta"],
)
print(f"Keras: {theirs:g}   convlens: {ours:g}")
slow, right = (panels["Adadelta"][rate][1][-1] for rate in ("0.001", "1"))
print(f"loss after {passes} epochs: {slow:.3f} at 0.001, {right:.3f} at 1.0")

# %% [markdown]
# ## CNN 的由來：從低階特徵到高階特徵 · Where CNNs come from: from low features to high ones
#
# 1960 年前後，Hubel 與 Wiesel 量貓的視覺皮質：有些神經元只對某個方向的亮線有反應，下一層再把它們組合起來。
# CNN 有同樣的安排：前面的卷積層找明暗與邊緣，後面的層把邊緣組成形狀、零件、物體。
# 它適合分類影像、影片、文字、聲音這類「鄰居有關係」的資料，也用在偵測、切割等工作。
#
# Around 1960 Hubel and Wiesel measured in the visual cortex of cats that some neurons respond only
# to bright lines of one direction, and that the neurons behind them combine such responses. A CNN
# is arranged in the same way: its first layers find light, dark and edges, and later layers combine
# edges into shapes, parts and objects. It is suitable for classifying images, video, text and
# sound, where neighbours are related, and also for tasks such as detection and segmentation.
#
# 三個手寫的濾鏡就能找邊緣：
#
# Three filters written by hand are enough to find edges:

# %%
image = x_test[0, :, :, 0].astype(float)
answers = [image]
for name in ("sobel-x", "sobel-y", "edges"):
    kernel = convlens.get_filter(name)[..., 0].astype(float)
    response = np.abs(arithmetic.convolve(image, kernel, padding="same").output[..., 0])
    answers.append(255 * response / response.max())
names = ["image", "sobel-x", "sobel-y", "edges"]
shown = np.asarray(answers).astype(np.uint8)
lesson.show(plots.show_images(shown, range(4), class_names=names, columns=4), "edges")

# %% [markdown]
# ## 三種層 · Three kinds of layers
#
# 卷積層學特徵；池化層縮小特徵圖；全連接層就是原來的 MLP，拿特徵來分類。前兩種可以重複好幾次。
#
# Convolution layers learn features; pooling layers make feature maps smaller; dense layers are the
# MLP of before, which uses the features to classify. The first two may be repeated several times.
#
# ## LeNet 的尺寸 · The sizes of LeNet
#
# 沒有填補的卷積：輸出邊長 = 輸入 − 濾鏡 + 1。5×5 的圖配 3×3 的濾鏡得 3×3；2×2 池化再除以 2。
# 32 → 28 → 14 → 10 → 5。
#
# For a convolution without padding, the side of the output is input − filter + 1. A 5×5 image with
# a 3×3 filter gives 3×3, and 2×2 pooling halves the side. 32 → 28 → 14 → 10 → 5.

# %%
print("5 x 5 with a 3 x 3 filter:", convlens.sizes.lay_windows(5, 3, 1, "valid").formula)
assert convlens.sizes.lay_windows(5, 3, 1, "valid").count == 3
lenet = stacks.measure(stacks.read_layers(stacks.STACKS["lenet"][0]), 32, 1)
assert [layer.shape[0] for layer in lenet[:4]] == [28, 14, 10, 5]
lesson.show(views.sizes_page([("LeNet", lenet)], "32 x 32"), "lenet_sizes")

# %% [markdown]
# ## 建立 CNN，算參數 · Build the CNN, count its parameters
#
# 卷積 32 個 3×3、卷積 64 個 3×3（都沒有填補）、2×2 最大池化、丟棄 0.25、展平、全連接 128、丟棄 0.5、softmax。
#
# The network has 32 filters of 3×3, 64 filters of 3×3 (both without padding), 2×2 max pooling,
# dropout of .25, a flatten layer, 128 neurons, dropout of .5 and a softmax.
#
# 勘誤一：講義把第二個卷積層的參數寫成 32*(24*24)+64。它也等於 18,496，純屬巧合：24×24 = 576，剛好是 3×3×64。
# 對的算法是 3×3×32×64 + 64；參數量和特徵圖的大小（24×24）無關。
#
# Erratum 1: the deck writes 32*(24*24)+64 for the parameters of the second convolution. That this
# is also 18,496 is a coincidence: 24×24 = 576 happens to equal 3×3×64. The right count is 3×3×32×64
# + 64, and does not depend on the size of the feature map, 24×24.
#
# 勘誤二：展平之後的節點數，講義的圖上寫 12*12*24；是 12×12×64 = 9,216。
#
# Erratum 2: a figure of the deck gives the flattened size as 12*12*24; it is 12×12×64 = 9,216.

# %%
assert (
    32 * (24 * 24) + 64 == 3 * 3 * 32 * 64 + 64 == 18_496
)  # equal by chance: on 64 x 64 images it would not be
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

# %% [markdown]
# convlens 的模型止於 logits，softmax 在分類器裡才做一次；參數量不受影響。
#
# The networks of convlens end in logits, and the softmax is computed once, in the classifier; the
# number of parameters is the same.
#
# ## 訓練 CNN 與 MLP · Train the CNN and the MLP
#
# 講義的設定：Adadelta 1.0、批次 128、12 個回合、五分之一驗證。結果：測試 99.09 %。
# 它還引用「MLP 98.18 %」，沒說是什麼架構、怎麼訓練；我們用安裝測試的那個 MLP，設定完全相同，只換網路。
#
# The deck uses Adadelta with a learning rate of 1.0, batches of 128, 12 epochs, and a fifth of the
# images for validation. Its result is 99.09 % in the test. It also quotes "MLP 98.18 %", but gives
# neither the layers nor the recipe; we take the MLP of the installation test, with the same
# settings as for the CNN.

# %%
mnist = lesson.data("mnist")
config = convlens.Config().replace(
    optimizer="adadelta",
    schedule="constant",
    augment="none",
    batch_size=32 if lesson.quick else 128,
    epochs=3 if lesson.quick else 12,
    limit=2000 if lesson.quick else None,
)
runs = {}
runs["CNN"] = convlens.train(
    mnist, config.replace(model="mnist_conv_3x3"), run=lesson.place("mnist_conv_3x3")
)
lesson.compare("MNIST, CNN with Adadelta 1.0", runs["CNN"], data="mnist", deck=0.9909)

# %%
runs["MLP"] = convlens.train(
    mnist, config.replace(model="mlp_256_128"), run=lesson.place("mlp_256_128")
)
lesson.compare("MNIST, MLP (its layers are not given)", runs["MLP"], data="mnist", deck=0.9818)

# %% [markdown]
# ## MLP 對 CNN · MLP against CNN
#
# 兩個模型考同一份考卷：只數「一個答對、另一個答錯」的那些圖，就知道差距是不是偶然（McNemar 檢定）。
# 第 000 課也有同樣的比較：講義說 MLP 96.5 %，CNN 99.6 %。
#
# Both networks are tested on the same images. Only the images that one of them classifies correctly
# and the other does not are counted; they tell whether the difference is more than chance
# (McNemar's test). Deck 000 makes the same comparison: MLP 96.5 %, CNN 99.6 %.

# %%
test = runs["CNN"].data["splits"]["test"]
assert test == runs["MLP"].data["splits"]["test"]
images, labels = np.asarray(mnist.images)[test][..., None], mnist.labels[test]
right = [run.classifier().probabilities(images).argmax(axis=1) == labels for run in runs.values()]
print(convlens.compare_pairs(list(runs), np.array(right))[0])
for name, run in runs.items():
    parameters = run.report["parameters"]
    print(f"{name}: {parameters:,} parameters, {sum(row['seconds'] for row in run.history):.0f} s")

# %%
panels = {"準確率 · accuracy": {}}
for name, run in runs.items():
    epochs = [row["epoch"] for row in run.history]
    panels["準確率 · accuracy"][f"{name} 訓練 train"] = (
        epochs,
        [row["accuracy"] for row in run.history],
    )
    panels["準確率 · accuracy"][f"{name} 驗證 validation"] = (
        epochs,
        [row["val_accuracy"] for row in run.history],
    )
lesson.show(plots.show_lines(panels, across="回合 · epoch", up="", percent=True), "mlp_cnn")

# %% [markdown]
# ## 學到的特徵：第一層與第二層 · What was learned: the first layer and the second
#
# 同一張圖，兩個卷積層各 16 張特徵圖：第一層還看得出數字，第二層已經在挑筆畫。
#
# For one image, 16 feature maps of each convolution are shown: the digit can still be seen in the
# first layer, while the second layer already selects strokes.

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
# ## 超參數清單 · The list of hyper-parameters
#
# 訓練學的是權重；下面這些要由人決定，或用 `convlens search` 去找。
#
# Training learns the weights. The following settings have to be chosen by a person, or found by
# `convlens search`.
#
# | 超參數 | hyper-parameter | 講義的 CNN · the deck's CNN | `convlens train --model custom_cnn` |
# |---|---|---|---|
# | 濾鏡數 | number of filters | 32, 64 | `--filters 32,64` |
# | 濾鏡大小 | size of the filters | 3×3 | `--kernel-size` |
# | 步幅 | step (strides) | 1 | `--strides` |
# | 填補 | padding | valid | `--padding` |
# | 池化種類 | type of pooling | max | `--pooling` |
# | 池化大小 | size of pooling | 2×2 | `--pool-size` |
# | 池化步幅 | step of pooling | 2 | `--pool-strides` |
# | 權重初始值 | initialiser | Glorot uniform | `--initializer` |
# | 激活函數 | activation | ReLU | `--activation` |
# | 丟棄率 | dropout | 0.25, 0.5 | `--dropout` |
# | 損失函數 | loss | 交叉熵 cross-entropy | 交叉熵 cross-entropy |
# | 優化器與學習率 | optimizer, learning rate | Adadelta, 1.0 | `--optimizer`, `--learning-rate` |
# | 批次大小 | batch size | 128 | `--batch-size` |
# | 回合數 | epochs | 12 | `--epochs` |
# | 層的順序 | order of the layers | 卷積 卷積 池化 conv conv pool | `--convs-per-block` |
#
# ## 結果 · Results

# %%
lesson.table()

# %% [markdown]
# # 003 親手算一次，再從檔案訓練 · By hand once, then from files
#
# 第 003 份講義是 2016 年 11 月的。它先用紙筆把一個 2-2-2 的小網路算一遍（正向傳播、誤差、反向傳播、更新），
# 再用 Keras 從 42,000 個 JPEG 檔訓練一個辨認數字的卷積網路。
# 手算的部分，這裡的每個數字都能追溯；程式的部分，當年的後端是 Theano，今天可以選 TensorFlow、JAX 或 PyTorch。
#
# Deck 003 dates from November 2016. It first computes a small 2-2-2 network by hand (forward
# pass, error, backward pass, update), and then trains a convolutional network for digits with
# Keras, from 42,000 JPEG files. Every number of the calculation by hand can be traced here. The
# backend was Theano at that time; today it can be TensorFlow, JAX or PyTorch.

# %%
import time

import numpy as np
from PIL import Image

import convlens
from convlens import arithmetic, backprop, metrics, plots, views

lesson = convlens.Lesson("003")

import keras
from keras import layers

keras.utils.set_random_seed(3)

# %% [markdown]
# ## 神經元與活化函數 · A neuron and its activation
#
# 一個神經元把每個輸入乘上一個權重，加總，加上偏差，再代入活化函數。
# 講義的網路有兩個輸入、兩個隱藏層神經元與兩個輸出層神經元，活化函數都是 sigmoid；
# 八個權重叫做 w1 到 w8，每一層共用一個偏差；目標是 .01 與 .99。
#
# A neuron multiplies each input by a weight, adds up the products and a bias, and passes the sum
# through an activation function. The network of the deck has two inputs, two hidden neurons and two
# output neurons, with sigmoid activations, eight weights w1 to w8, and one bias for each layer. The
# targets are .01 and .99.
#
# 勘誤：講義的清單把輸出層的兩個神經元也寫成 h1、h2，跟隱藏層同名；它們是 o1、o2。
#
# Erratum: the list in the deck names the two neurons of the output layer h1 and h2, like those of
# the hidden layer; they are o1 and o2.

# %%
curve = np.linspace(-6, 6, 121)
panels = {}
for name in ("sigmoid", "tanh", "relu"):
    done = arithmetic.activate(curve, name)
    panels[name] = {name: (curve, done.output), lesson.text("its slope"): (curve, done.slope)}
    lesson.say("{name}: the steepest slope is {slope:g}", name=name, slope=float(done.slope.max()))
lesson.show(plots.show_lines(panels, across="z", up=""), "activations")

# %% [markdown]
# ## 正向傳播與誤差 · The forward pass and the error
#
# 從輸入算到輸出，再跟目標比較。誤差是每個輸出「差的平方的一半」的總和。
#
# The network is computed from its inputs to its outputs, which are compared with the targets. The
# error is the sum of half of the squared difference of each output.
#
# 勘誤：講義把式子寫成 `0.593 * 0.40 + 0.596 * 0.45 + …`，用的其實是完整的 0.593269992；
# 只用印出來的三位小數，算不出同樣的結果。
#
# Erratum: where the deck writes `0.593 * 0.40 + 0.596 * 0.45 + …`, it has computed with
# 0.593269992; the three printed digits do not give the same result.

# %%
first = backprop.take_step(backprop.LECTURE_NETWORK, backprop.LECTURE_EXAMPLE, 0.5)
hidden, output = (forward.outputs for forward in first.forward)
print("h1, h2:", hidden.round(9))
print("o1, o2:", output.round(9))
print("E =", " + ".join(f"{term:.9f}" for term in first.terms), f"= {first.error:.9f}")
assert np.allclose(hidden, [0.593269992, 0.596884378], rtol=0, atol=6e-10)
assert np.allclose(output, [0.75136507, 0.772928465], rtol=0, atol=6e-10)
assert np.allclose(
    [*first.terms, first.error], [0.274811083, 0.023560026, 0.298371109], rtol=0, atol=6e-10
)

# %% [markdown]
# 畫成圖：每條線上是權重，每個神經元裡是它的輸出。
#
# As a figure, each line has its weight, and each neuron its output.

# %%
weights = [layer.weights for layer in backprop.LECTURE_NETWORK]
shared = [layer.bias for layer in backprop.LECTURE_NETWORK]
values = [backprop.LECTURE_EXAMPLE.inputs, hidden, output]
targets = backprop.LECTURE_EXAMPLE.targets
lesson.show(
    plots.show_neurons(weights, values, biases=shared, targets=targets, digits=9), "network"
)

# %% [markdown]
# ## 損失函數 · The loss functions
#
# 講義用「平方的一半」，因為微分之後係數剛好是 1。迴歸常用平方誤差（均方誤差）、絕對誤差、均方根誤差；
# 分類用交叉熵：兩類用二元交叉熵（binary），多類用多類別交叉熵（categorical）。
# 同一組預測，各種損失的數值一般都不同，所以只能與同一種損失比較。
# （這裡 squared 與 half-squared 相同是巧合：輸出剛好有兩個，兩項的平均就是總和的一半。）
#
# The deck uses half of the squared error, because the factor 2 of the derivative then cancels.
# Regression often uses the squared error (mean squared error), the absolute error or the
# root-mean-square error. Classification uses cross-entropy: binary for two classes, categorical for
# more. In general each loss gives another number for the same predictions, so a loss can be
# compared only with the same kind of loss. (That squared and half-squared are equal here is a
# coincidence: there are two outputs, and the mean of two terms is half of their sum.)

# %%
losses = {
    name: float(arithmetic.loss(name, backprop.LECTURE_EXAMPLE.targets, output).value)
    for name in arithmetic.LOSSES
}
for name, value in losses.items():
    print(f"{name:25} {value:.6f}")
assert np.isclose(losses["squared"], losses["half-squared"])

# %% [markdown]
# ## 反向傳播：連鎖律 · Backpropagation: the chain rule
#
# 誤差對 w5 的梯度是三個因數的乘積：誤差對輸出、輸出對加總、加總對權重。
# w1 到 w4 多一步：隱藏層神經元的誤差，是兩個輸出層神經元的誤差經由權重傳回來的總和。
#
# The gradient of the error with respect to w5 is a product of three factors: the error by the
# output, the output by the sum, and the sum by the weight. For w1 to w4 there is one more step: the
# error of a hidden neuron is the sum of what both output neurons send back through their weights.
#
# 勘誤：講義的連鎖律寫成 ∂E/∂o1 × ∂o1/∂o1a × ∂o1a/∂w5，前後顛倒了；
# 講義裡 o1 是加總、o1a 是代入活化函數之後的值，所以是 ∂E/∂o1a × ∂o1a/∂o1 × ∂o1/∂w5。
#
# Erratum: the deck writes the chain rule as ∂E/∂o1 × ∂o1/∂o1a × ∂o1a/∂w5, which is the wrong way
# round: its o1 is the sum and its o1a is the value after the activation, so it is ∂E/∂o1a ×
# ∂o1a/∂o1 × ∂o1/∂w5.

# %%
chains = {chain.name: chain for chain in first.chains()}
w5 = chains["w5"]
factors = [w5.error_by_output, w5.output_by_sum, w5.sum_by_weight]
print("dE/dw5 =", " x ".join(f"{factor:.9f}" for factor in factors), f"= {w5.gradient:.9f}")
assert np.allclose(
    [*factors, w5.gradient],
    [0.741365070, 0.186815602, 0.593269992, 0.082167041],
    rtol=0,
    atol=6e-10,
)
gradients = [backward.weights for backward in first.backward]
lesson.show(
    plots.show_neurons(
        weights, values, biases=shared, targets=targets, gradients=gradients, digits=6
    ),
    "gradients",
)

# %% [markdown]
# ## 更新，一次又一次 · The update, again and again
#
# 八個權重同時更新，梯度都用舊的權重計算，步長 0.5。講義沒有更新偏差；偏差也可以學，梯度用同樣的方法計算。
#
# All eight weights are updated at once, with gradients at the old weights and a step size of 0.5.
# The deck does not change the biases; they can be learned as well, and their gradients are computed
# in the same way.
#
# 勘誤：講義最後說「不斷重覆 Step 1 到 Step 5」。Step 1 是給定起始權重，重做就回到原點了；
# 要重複的是正向傳播、誤差、反向傳播與更新，也就是 Step 2 到 Step 4。
#
# Erratum: the deck ends with repeating its steps 1 to 5. Step 1 sets the initial weights, and
# repeating it would undo what was learned; the forward pass, the error, the backward pass and the
# update are repeated, which are steps 2 to 4.

# %%
updated = [chain.after for chain in first.chains()]
deck = [
    *(0.149780716, 0.199561432, 0.249751144, 0.299502287),
    *(0.358916480, 0.408666186, 0.511301270, 0.561370121),
]
for name, chain in chains.items():
    print(f"{name}: {chain.before:.2f} - 0.5 x {chain.gradient:12.9f} = {chain.after:.9f}")
assert np.allclose(updated, deck, rtol=0, atol=6e-10)
biases = [float(backward.bias) for backward in first.backward]
print("dE/db1, dE/db2:", np.round(biases, 9))
assert np.allclose(biases, [0.018725609, 0.100400325], rtol=0, atol=6e-10)

# %%
fixed, moved = (
    backprop.train(
        backprop.LECTURE_NETWORK,
        backprop.LECTURE_EXAMPLE,
        0.5,
        steps=10_000,
        move_biases=move_biases,
    )
    for move_biases in (False, True)
)
lesson.say(
    "only the weights learn: error {first:.9f} after 1 step, {last:.3g} after 10,000 steps",
    first=fixed.errors[1],
    last=fixed.errors[-1],
)
lesson.say(
    "the biases learn as well: error {first:.9f} after 1 step, {last:.3g} after 10,000 steps",
    first=moved.errors[1],
    last=moved.errors[-1],
)
assert np.allclose([fixed.errors[1], moved.errors[1]], [0.291027774, 0.285750887], atol=6e-10)
assert np.allclose([fixed.errors[-1], moved.errors[-1]], [3.51e-5, 4.36e-6], rtol=2e-3)
below = backprop.train(
    backprop.LECTURE_NETWORK, backprop.LECTURE_EXAMPLE, 0.5, steps=10_000, until=1e-3
)
lesson.show(views.network_page(first, below), "by_hand")

# %% [markdown]
# ## 步長太小與太大 · A step too small, a step too large
#
# 講義說：步長小，調整過程慢，容易困在局部最小值；步長大，不容易收斂。
# 拿一個畫得出來的誤差來試：E = ½ (x² + 10 y²) 是一條狹長的山谷，
# 橫越山谷的方向（y）的曲率是沿著谷底的方向（x）的十倍。
# 每走一步，x 乘以 1 − 步長，y 乘以 1 − 10 × 步長。所以步長一旦超過 2 / 10 = 0.2，y 每一步都跨過谷底，
# 而且落在更高的地方：發散了。步長很小的話不會發散，可是沿著谷底幾乎走不動。
# 這條山谷只有一個最低點，所以看不到局部最小值。
#
# The deck says that small steps are slow and easily get stuck in local minima, and that large steps
# do not converge easily. We try it with an error that can be drawn: E = ½ (x² + 10 y²) is a narrow
# valley, with ten times the curvature across (y) that it has along (x). Each step multiplies x by 1
# − step size, and y by 1 − 10 × step size. Beyond a step size of 2 / 10 = 0.2 each step crosses the
# valley and ends higher on the other side: it diverges. A very small step never diverges, but it
# hardly moves along the valley. This valley has only one minimum, so it shows no local minima.

# %%
paths, heights = {}, {}
for rate in (0.01, 0.1, 0.18, 0.21):
    places = [np.array([9.0, 1.0])]
    for _ in range(20):
        gradient = np.array([1, 10]) * places[-1]
        places.append(places[-1] - rate * gradient)
    paths[rate] = np.array(places)
    heights[rate] = (paths[rate] ** 2 @ [1, 10]) / 2
    lesson.say(
        "step size {rate:g}: E is {first:.1f} at the start, {last:.3g} after 20 steps",
        rate=rate,
        first=heights[rate][0],
        last=heights[rate][-1],
    )
assert heights[0.21][-1] > heights[0.21][0]  # too large: it diverges
assert np.allclose(paths[0.21][1:, 1] / paths[0.21][:-1, 1], -1.1)
assert heights[0.18][-1] < heights[0.1][-1] < heights[0.01][-1] < heights[0.01][0]

panels = {
    lesson.text("step size {rate:g}", rate=rate): {
        lesson.text("20 steps"): (path[:, 0], path[:, 1])
    }
    for rate, path in paths.items()
}
figure = plots.show_lines(panels, across="x", up="y")
x, y = np.meshgrid(np.linspace(-10, 10, 201), np.linspace(-7, 7, 141))
for axes in figure.axes:
    height = (x**2 + 10 * y**2) / 2
    axes.contour(x, y, height, [1, 5, 15, 45, 100, 200], colors="silver", linewidths=1, zorder=1)
    axes.set(xlim=(-10, 10), ylim=(-7, 7))
lesson.show(figure, "step_sizes")

# %% [markdown]
# 步長多大才算太大，要看曲率，沒有一個數字到處都適用。講義的 2-2-2 網路用 sigmoid，誤差的曲面很平：
# 起點的最大曲率只有 0.037，2 ÷ 0.037 大約是 55，所以步長 50 也不會發散，反而是下面三種裡最快的。
#
# Which step is too large depends on the curvature, and no number suits every network. The 2-2-2
# network of the deck has sigmoids, and the surface of its error is flat: the largest curvature at
# the start is only 0.037, and 2 / 0.037 is about 55. Even a step size of 50 does not diverge, and
# it is the fastest of the three below.

# %%
errors = {
    rate: backprop.train(backprop.LECTURE_NETWORK, backprop.LECTURE_EXAMPLE, rate, steps=500).errors
    for rate in (0.05, 0.5, 50)
}
for rate, values in errors.items():
    lesson.say(
        "the deck's network, step size {rate:g}: error {error:.2e} after 500 steps",
        rate=rate,
        error=values[-1],
    )
assert errors[50][-1] < errors[0.5][-1] < errors[0.05][-1] < errors[0.05][0]

# %% [markdown]
# ## 邏輯迴歸，就是一個神經元 · Logistic regression is one neuron
#
# 講義說邏輯迴歸可以用神經網路來做，但是沒有附資料。
# 我們拿 MNIST 的 0 和 1，用一個神經元：784 個權重、一個偏差，sigmoid 加二元交叉熵。
# 講義的說法如果成立，正則化的強度相同時，神經元的權重應該等於 scikit-learn 的 `LogisticRegression` 的係數。
# scikit-learn 最小化的是「C × 損失的總和 + ½ × 係數的平方和」；
# 除以 C 乘張數 n，就是「損失的平均 + 係數的平方和 ÷ (2 C n)」。
# 兩邊都要算到收斂才能比較，所以不是訓練幾個回合，而是用 L-BFGS。
#
# The deck says that a neural network can do logistic regression, but gives no data. We take the 0s
# and 1s of MNIST and one neuron: 784 weights and one bias, with a sigmoid and binary cross-entropy.
# If the claim is true, then with the same regularization the weights must equal the coefficients of
# scikit-learn's `LogisticRegression`. scikit-learn minimises C × the sum of the losses + ½ the sum
# of the squared coefficients; divided by C times the number of images n, this is the mean loss +
# the sum of the squares / (2 C n). The two can be compared only once both have converged, so we use
# L-BFGS instead of a few epochs.

# %%
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

(x_all, y_all), (x_test, y_test) = lesson.arrays("mnist")
two = np.flatnonzero(y_all < 2)
x, y = x_all[two].astype("float32") / 255, y_all[two].astype("float32")
C = 0.1
reference = LogisticRegression(C=C, tol=1e-10, max_iter=5000).fit(
    x.reshape(len(x), -1).astype("float64"), y
)

neuron = convlens.create_model("logistic")  # one logit; the sigmoid comes in the loss
assert neuron.count_params() == 785


def penalised(weights):
    logits, _ = neuron.stateless_call(weights, [], x, training=False)
    fit = keras.ops.mean(keras.losses.binary_crossentropy(y[:, None], logits, from_logits=True))
    return fit + keras.ops.sum(weights[0] ** 2) / (2 * C * len(x))


def objective(flat):
    kernel, bias = flat[:784, None].astype("float32"), flat[784:].astype("float32")
    gradients = convlens.backend.gradients(penalised, [kernel, bias])
    value = float(
        penalised([keras.ops.convert_to_tensor(kernel), keras.ops.convert_to_tensor(bias)])
    )
    return value, np.concatenate([one.ravel() for one in gradients]).astype("float64")


found = minimize(objective, np.zeros(785), jac=True, method="L-BFGS-B",
                 options={"maxiter": 2000, "maxcor": 30, "ftol": 1e-15, "gtol": 1e-9})  # fmt: skip
neuron.set_weights([found.x[:784, None], found.x[784:]])
coefficients = reference.coef_[0]
apart = np.abs(found.x[:784] - coefficients).max()
lesson.say(
    "{count:,} images, C = {C:g}; the coefficients are between {lowest:.4f} and {highest:.4f}",
    count=len(x),
    C=C,
    lowest=coefficients.min(),
    highest=coefficients.max(),
)
lesson.say(
    "largest difference between a weight and its coefficient: {weight:.1e}; between the biases: {bias:.1e}",
    weight=apart,
    bias=abs(found.x[784] - reference.intercept_[0]),
)
assert apart < 1e-3 * np.abs(coefficients).max()

# %% [markdown]
# 係數畫成 28×28 的圖，灰色是 0：亮的地方有筆畫，答案偏向「1」；暗的地方有筆畫，答案偏向「0」。
# 左邊是 scikit-learn，右邊是神經元，看不出差別。
#
# The coefficients are drawn as an image of 28×28. Grey is 0; strokes where it is bright are
# evidence for a 1, and strokes where it is dark are evidence for a 0. scikit-learn is on the left
# and the neuron on the right; they look the same.

# %%
new = np.flatnonzero(y_test < 2)
answers = (neuron.predict(x_test[new].astype("float32") / 255, verbose=0)[:, 0] > 0).astype(int)
theirs = reference.predict(x_test[new].reshape(len(new), -1) / 255)
lesson.say(
    "test images: accuracy {score}; the two predict the same class for {same:,} of {count:,}",
    score=metrics.accuracy(y_test[new], answers),
    same=int((answers == theirs).sum()),
    count=len(new),
)
most = np.abs(coefficients).max()
maps = [
    np.uint8(np.clip(127.5 * (1 + one.reshape(28, 28) / most), 0, 255))
    for one in (coefficients, found.x[:784])
]
lesson.show(
    plots.show_images(maps, [0, 1], class_names=["scikit-learn", "Keras"], columns=2),
    "coefficients",
)

# %% [markdown]
# ## 三種梯度下降 · Three kinds of gradient descent
#
# 每次更新之前，要看多少張影像？全部（批次梯度下降）：方向準，但一個回合只更新一次。
# 一張（隨機梯度下降）：更新頻繁，方向不穩。
# 一小批（小批次梯度下降）：介於兩者之間，張數就是 Keras 的 `batch_size`。
# 下面三條線看過的影像一樣多，差別只在多久更新一次。
#
# How many images are used to compute a gradient? With all of them (batch gradient descent), the
# direction is right, but there is only one step in an epoch. With one image (stochastic gradient
# descent), there are many steps, in unsteady directions. A few images (mini-batch gradient
# descent) are a compromise, and their number is the `batch_size` of Keras. The three lines below
# have used the same number of images; they differ in how often a step is taken.

# %%
draws = np.random.default_rng(3)
count, epochs = (600, 4) if lesson.quick else (5000, 4)
rows = draws.permutation(len(x))[:count]
flat, target = x[rows].reshape(len(rows), -1).astype("float64"), y[rows]
lines = {}
for name, size, rate in (
    (lesson.text("all images"), len(rows), 0.1),
    (lesson.text("50 images"), 50, 0.1),
    (lesson.text("1 image"), 1, 0.1),
):
    weights, seen, losses, steps = np.zeros(784), [0.0], [np.log(2)], 0
    every = max(1, len(rows) // size // 10)
    for epoch in range(epochs):
        order = draws.permutation(len(rows))
        for start in range(0, len(rows), size):
            some = order[start : start + size]
            answer = 1 / (1 + np.exp(-flat[some] @ weights))
            weights -= rate * flat[some].T @ (answer - target[some]) / len(some)
            steps += 1
            if steps % every == 0:
                z = flat @ weights
                seen.append(epoch + (start + len(some)) / len(rows))
                losses.append(float(np.mean(np.logaddexp(0, z) - target * z)))
    lines[name] = (seen, losses)
    lesson.say(
        "{name} per step: {steps:,} steps in {epochs} epochs, loss {loss:.4f}; in {rose:.0%} of the measurements it had risen",
        name=name,
        steps=steps,
        epochs=epochs,
        loss=losses[-1],
        rose=np.mean(np.diff(losses) > 0),
    )
lesson.show(
    plots.show_lines(
        {"": lines}, across=lesson.text("epoch"), up=lesson.text("training loss"), log=True
    ),
    "kinds_of_steps",
)

# %% [markdown]
# ## 選後端 · Choose the backend
#
# 講義的程式一開頭就寫 `os.environ['KERAS_BACKEND'] = 'theano'`。Keras 3 已經不支援 Theano，
# 可以選的是 tensorflow、jax、torch。規則沒變：要在 `import keras` 之前設定好。
# convlens 的寫法是 `convlens train … --backend jax`。
#
# The deck begins with `os.environ['KERAS_BACKEND'] = 'theano'`. Keras 3 no longer runs on Theano;
# the choices are tensorflow, jax and torch. The rule is the same: it must be set before `import
# keras`. In convlens it is `convlens train … --backend jax`.

# %%
import importlib.util

for engine in convlens.backend.ENGINES:
    if engine == convlens.backend.engine():
        lesson.say("{engine}: this lesson runs on it", engine=engine)
    elif importlib.util.find_spec(engine):
        lesson.say("{engine}: installed", engine=engine)
    else:
        lesson.say("{engine}: not installed", engine=engine)

# %% [markdown]
# ## 寫出 JPEG 檔：標籤.編號.jpg · Write the JPEG files: label.number.jpg
#
# 講義的資料是 42,000 個檔案，檔名像 `0.46.jpg`：編號 46，標籤是 0。這裡用 MNIST 的影像寫出這樣的資料夾。
# JPEG 是失真壓縮，所以像素值與原來的略有差異。
#
# The data of the deck are 42,000 files with names such as `0.46.jpg`: number 46, with the label 0.
# We write such a folder from MNIST. JPEG is lossy, so the pixels differ slightly from the
# originals.

# %%
folder = lesson.place("jpeg")
folder.mkdir(parents=True)
total = 700 if lesson.quick else min(42_000, len(x_all))
chosen = np.random.default_rng(42).permutation(len(x_all))[:total]
for number, index in enumerate(chosen):
    Image.fromarray(x_all[index, :, :, 0]).save(folder / f"{y_all[index]}.{number}.jpg", quality=95)
names = sorted(path.name for path in folder.iterdir())
lesson.say(
    "{count:,} files, such as {names}", count=len(names), names=", ".join(names[:: total // 4])
)
back = np.asarray(Image.open(folder / f"{y_all[chosen[0]]}.0.jpg")).astype(int)
lesson.say(
    "largest change of a pixel by JPEG, in one image: {change}",
    change=np.abs(back - x_all[chosen[0], :, :, 0]).max(),
)

# %% [markdown]
# ## 讀檔、打亂、切分 · Read, shuffle, split
#
# 逐一讀取檔案，檔名第一個點前面的就是標籤；打亂之後，前 30,000 張訓練，後 12,000 張測試。
# 不打亂的話，檔案依檔名排列，最前面全是 0，最後面全是 9，測試集裡只有 7、8、9。
#
# Each file is read, and its label is what stands before the first dot of its name. Then the files
# are shuffled; 30,000 are for training and 12,000 for the test. Without shuffling, the files are
# sorted by name: they begin with the 0s and end with the 9s, and the test set would have only 7s,
# 8s and 9s.
#
# 勘誤：講義的說明把後 12,000 張也叫做「訓練集」；程式是對的，那是測試集。
#
# Erratum: a note in the deck also calls the last 12,000 images the training set; the code is right,
# they are the test set.
#
# 勘誤：講義只把 `X_train` 轉成 (張數, 28, 28, 1)，沒有轉 `X_test`，
# 測試影像還是 (12000, 1, 28, 28)，跟網路的輸入形狀不合；說明裡的 (42000, 28, 28, 1) 也不對，切分之後 `X_train` 是 30,000 張。
#
# Erratum: the deck reshapes `X_train` to (images, 28, 28, 1), but never `X_test`, which stays
# (12000, 1, 28, 28) and does not fit the input of the network. Its note says (42000, 28, 28, 1), but
# after the split `X_train` has 30,000 images.
#
# 勘誤：講義設定了 `np.random.seed(1024)`，打亂卻用 `random.shuffle`，不受這個亂數種子控制，所以每次的切分都不同。
#
# Erratum: the deck sets `np.random.seed(1024)`, but shuffles by `random.shuffle`, which this seed
# does not control; the split is another one each time.

# %%
paths = sorted(folder.iterdir())
images = np.stack([np.asarray(Image.open(path)) for path in paths])[..., None].astype("float32")
labels = np.array([int(path.name.split(".")[0]) for path in paths])
cut = len(paths) * 30 // 42
lesson.say(
    "not shuffled: the test set would have only the classes {classes}",
    classes=np.unique(labels[cut:]).tolist(),
)
shuffled = np.random.default_rng(1024).permutation(len(paths))
images, labels = images[shuffled], labels[shuffled]
lesson.say(
    "shuffled: the test set has the classes {classes}", classes=np.unique(labels[cut:]).tolist()
)
lesson.say("{train:,} images to train, {test:,} to test", train=cut, test=len(paths) - cut)
lesson.say(
    "shape {shape}; pixels from {low:g} to {high:g}, not scaled, as in the deck",
    shape=images.shape,
    low=images.min(),
    high=images.max(),
)
lesson.show(plots.show_images(images.astype("uint8"), labels, n=10, columns=10), "jpeg_images")

# %% [markdown]
# convlens 看檔名就能辨認這種資料夾：
#
# convlens recognises such a folder by the names of its files:

# %%
recognised = convlens.load_data(folder)
lesson.say(
    "{kind}: {count:,} images, classes {names}",
    kind=recognised.kind,
    count=len(recognised),
    names=", ".join(recognised.class_names),
)

# %% [markdown]
# ## 建立模型 · Build the network
#
# 網路有三個卷積層（4、8、16 個濾鏡）、兩個池化層與一個 128 個神經元的全連接層，活化函數都是 tanh；
# 全連接層的權重以常態分布初始化。一共有 35,754 個參數。
# 當年的 `Convolution2D(4, 5, 5, border_mode='valid')` 現在是 `Conv2D(4, 5, padding="valid")`，
# `init='normal'` 是 `kernel_initializer="random_normal"`，`nb_epoch` 是 `epochs`。
#
# There are three convolutions of 4, 8 and 16 filters, two pooling layers and a dense layer of 128
# neurons, all with tanh; the weights of the dense layers start from a normal distribution. This
# makes 35,754 parameters. What used to be `Convolution2D(4, 5, 5, border_mode='valid')` is now
# `Conv2D(4, 5, padding="valid")`, `init='normal'` is `kernel_initializer="random_normal"`, and
# `nb_epoch` is `epochs`.

# %%


def tanh_network():
    keras.utils.set_random_seed(1024)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 5, padding="valid", activation="tanh", name="conv1"),
            layers.Conv2D(8, 3, padding="valid", activation="tanh"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, padding="valid", activation="tanh"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="tanh", kernel_initializer="random_normal"),
            layers.Dense(10, activation="softmax", kernel_initializer="random_normal"),
        ]
    )


model = tanh_network()
model.summary(line_length=80)
assert model.count_params() == convlens.create_model("mnist_tanh").count_params() == 35_754

# %% [markdown]
# ## 沒有縮放的像素 · Pixels that were not scaled
#
# 講義沒有把像素除以 255。tanh 在 ±3 之外幾乎是平的，斜率不到 0.01：
# 加總的絕對值如果超過 3，輸出就貼近 ±1，梯度幾乎傳不回去。下面算出第一個卷積層有多少輸出是這樣。
#
# The deck does not divide the pixels by 255. Beyond ±3, tanh is nearly flat, with a slope below
# 0.01: if a sum is larger than 3, the output is almost ±1, and hardly any gradient gets through. We
# measure how many outputs of the first convolution are affected.

# %%
assert 1 - np.tanh(3) ** 2 < 0.01
first_layer = model.get_layer("conv1")
some = images[:200]
ink = np.asarray(keras.ops.average_pool(some, 5, 1))[..., 0] > 0  # windows that see any ink
for name, scale in (("0..255", 1.0), ("0..1", 1 / 255)):
    sums = np.abs(keras.ops.conv(some * scale, first_layer.kernel) + first_layer.bias)[ink]
    lesson.say(
        "pixels {name}: where there is ink, the median of |sum| is {median:.3g}, and {share:.1%} are above 3",
        name=name,
        median=np.median(sums),
        share=np.mean(sums > 3),
    )

# %% [markdown]
# ## 選哪個最佳化器？ · Which optimizer?
#
# 講義匯入了 SGD、Adadelta、Adagrad，卻沒有印出 `compile` 那一行。我們從訓練資料留一成驗證，三個都試，用最好的那個。
# 學習率是當年 Keras 的預設值：0.01、1.0、0.01；今天 Adadelta 與 Adagrad 的預設值都是 0.001。
#
# The deck imports SGD, Adadelta and Adagrad, but does not print its `compile` line. We therefore
# hold back a tenth of the training images for validation, try all three, and take the best. The
# learning rates are the defaults of Keras at that time, 0.01, 1.0 and 0.01; today Adadelta and
# Adagrad have 0.001.

# %%
trial, batch_size = (3, 20) if lesson.quick else (3, 100)
held = cut * 9 // 10
optimizers = {
    "SGD": lambda: keras.optimizers.SGD(0.01),
    "Adadelta": lambda: keras.optimizers.Adadelta(1.0),
    "Adagrad": lambda: keras.optimizers.Adagrad(0.01),
}
tried = {}
for name, optimizer in optimizers.items():
    candidate = tanh_network()
    candidate.compile(optimizer(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    candidate.fit(images[:held], labels[:held], epochs=trial, batch_size=batch_size, verbose=0)
    tried[name] = metrics.accuracy(
        labels[held:cut], candidate.predict(images[held:cut], verbose=0).argmax(axis=1)
    )
    lesson.say(
        "{name} after {epochs} epochs: validation accuracy {score}",
        name=name,
        epochs=trial,
        score=tried[name],
    )
assert np.isclose(float(keras.optimizers.Adadelta().learning_rate), 0.001)
assert np.isclose(float(keras.optimizers.Adagrad().learning_rate), 0.001)
chosen_optimizer = max(tried, key=lambda name: tried[name].value)
lesson.say("{name} is used below", name=chosen_optimizer)
if lesson.stands_in("mnist"):
    lesson.say(
        "The full run (27,000 images, 3 epochs, seed 1024) got SGD 86.8 %, Adadelta 97.0 %, "
        "Adagrad 92.8 % of 3,000 validation images."
    )

# %% [markdown]
# ## 訓練與評估 · Train and evaluate
#
# 批次大小 100，訓練 10 個回合，每個回合都打亂順序（`shuffle=True` 本來就是預設值）。
# 講義的準確率：訓練 99.6 %，測試 98.38 %。
#
# We use batches of 100 and 10 epochs, and shuffle in each epoch (`shuffle=True` is the default
# anyway). The deck's accuracy is 99.6 % on the training images and 98.38 % on the test images.

# %%
model = tanh_network()
model.compile(
    optimizers[chosen_optimizer](), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
began = time.perf_counter()
fitted = model.fit(
    images[:cut],
    labels[:cut],
    epochs=6 if lesson.quick else 10,
    batch_size=batch_size,
    shuffle=True,
    verbose=2,
)
seconds = time.perf_counter() - began
probabilities = model.predict(images[cut:], verbose=0)
predicted = probabilities.argmax(axis=1)
train_score = metrics.accuracy(labels[:cut], model.predict(images[:cut], verbose=0).argmax(axis=1))
test_score = metrics.accuracy(labels[cut:], predicted)
lesson.say("training accuracy {train}, test accuracy {test}", train=train_score, test=test_score)
lesson.compare(
    lesson.text("MNIST from JPEG files, tanh"),
    test_score,
    data="mnist",
    deck=0.9838,
    seconds=seconds,
)
if lesson.stands_in("mnist"):
    lesson.say(
        "Two full runs (30,000 images, 10 epochs, seed 1024) got 97.94 % and 98.14 % of 12,000 test "
        "images; the deck got 98.38 %."
    )
lesson.show(plots.show_metrics(fitted.history), "tanh_history")

# %%
wrong = np.flatnonzero(predicted != labels[cut:])[:10]
shown = np.concatenate([np.arange(10), wrong])
lesson.show(
    plots.show_images(
        images[cut:][shown].astype("uint8"),
        labels[cut:][shown],
        probabilities=probabilities[shown],
        columns=10,
    ),
    "tanh_predictions",
)

# %% [markdown]
# 同樣架構的網路在 convlens 裡叫 `mnist_tanh`：
# `convlens train 資料夾 --model mnist_tanh --batch-size 100 --epochs 10`。
# convlens 會縮放像素；預設用 AdamW，學習率先升後降（one-cycle），還有輕微的資料增強。
#
# The network of these layers is called `mnist_tanh` in convlens: `convlens train FOLDER --model
# mnist_tanh --batch-size 100 --epochs 10`. convlens scales the pixels; by default it uses AdamW,
# the one-cycle schedule and light augmentation.

# %% [markdown]
# ## 結果 · Results

# %%
lesson.table()

# %% [markdown]
# # 003 親手算一次，再從檔案訓練 · By hand once, then from files
#
# 第 003 份講義先用紙筆把一個兩層的小網路算一遍（前向、誤差、反向、更新），
# 再用 Keras 從四萬兩千個 JPEG 檔訓練一個認數字的卷積網路。
# 紙筆的部分，這裡每個數字都打開來看；程式的部分，後端從前是 Theano，今天可以是 TensorFlow、JAX 或 PyTorch。
#
# Deck 003 first computes a small network of two layers by hand (forward pass, error, backward pass,
# update), and then trains a convolutional network for digits with Keras, from 42,000 JPEG files.
# Every number of the calculation by hand is shown here. The backend was Theano at that time; today
# it can be TensorFlow, JAX or PyTorch.

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
# ## 神經元與激活函數 · A neuron and its activation
#
# 一個神經元把輸入各乘一個權重，加總，再加偏差，最後通過激活函數。講義的網路有兩個輸入、兩個隱藏、兩個輸出神經元，
# 激活函數是 sigmoid；八個權重 w1 到 w8，每層共用一個偏差；目標是 .01 與 .99。
#
# A neuron multiplies each input by a weight, adds up the products and a bias, and passes the sum
# through an activation function. The network of the deck has two inputs, two hidden neurons and two
# output neurons, with sigmoid activations, eight weights w1 to w8, and one bias for each layer. The
# targets are .01 and .99.
#
# 勘誤：講義的清單把輸出層的兩個神經元也寫成 h1、h2；它們是 o1、o2。
#
# Erratum: the list in the deck names the two neurons of the output layer h1 and h2, like those of
# the hidden layer; they are o1 and o2.

# %%
curve = np.linspace(-6, 6, 121)
panels, steepest = {}, {}
for name in ("sigmoid", "tanh", "relu"):
    done = arithmetic.activate(curve, name)
    panels[name] = {name: (curve, done.output), f"{name} 的斜率 · its slope": (curve, done.slope)}
    steepest[name] = float(done.slope.max())
print("steepest slope:", ", ".join(f"{name} {slope:g}" for name, slope in steepest.items()))
lesson.show(plots.show_lines(panels, across="z", up=""), "activations")

# %% [markdown]
# ## 前向傳播與誤差 · The forward pass and the error
#
# 勘誤：講義寫成 `0.593 * 0.40 + …` 的式子，用的其實是沒捨去的 0.593269992；照印出來的三位小數算，得不到它的答案。
#
# Erratum: where the deck writes `0.593 * 0.40 + …`, it has computed with 0.593269992; the three
# printed digits do not give its result.

# %%
first = backprop.take_step(backprop.LECTURE_NETWORK, backprop.LECTURE_EXAMPLE, 0.5)
hidden, output = (forward.outputs for forward in first.forward)
print("hidden", hidden.round(9), " output", output.round(9))
print("error ", " + ".join(f"{term:.9f}" for term in first.terms), f"= {first.error:.9f}")
assert np.allclose(hidden, [0.593269992, 0.596884378], rtol=0, atol=6e-10)
assert np.allclose(output, [0.75136507, 0.772928465], rtol=0, atol=6e-10)
assert np.allclose(
    [*first.terms, first.error], [0.274811083, 0.023560026, 0.298371109], rtol=0, atol=6e-10
)

# %% [markdown]
# ## 損失函數 · The loss functions
#
# 講義用「平方的一半」，因為微分之後係數剛好是 1。迴歸常用平方誤差（均方誤差）、絕對誤差、均方根誤差；
# 分類用交叉熵：兩類用 binary，多類用 categorical。對同一組答案，每一種給的數字都不同，所以損失只能和同一種比。
#
# The deck uses half of the squared error, because the factor 2 of the derivative then cancels.
# Regression often uses the squared error (mean squared error), the absolute error or the
# root-mean-square error. Classification uses cross-entropy: binary for two classes, categorical for
# more. Each loss gives another number for the same predictions, so a loss can be compared only with
# the same kind of loss.

# %%
for name, (formula, reduction) in arithmetic.LOSSES.items():
    done = arithmetic.loss(name, backprop.LECTURE_EXAMPLE.targets, output)
    terms = ", ".join(f"{float(term):.6f}" for term in done.terms)
    print(f"{name:25} {float(done.value):.6f}   {reduction} of {formula}: {terms}")

# %% [markdown]
# ## 反向傳播：連鎖律 · Backpropagation: the chain rule
#
# 誤差對 w5 的梯度是三個因數的乘積：誤差對輸出、輸出對加總、加總對權重。
# w1 到 w4 多一步：隱藏神經元的誤差，是兩個輸出神經元經由權重送回來的和。
#
# The gradient of the error by w5 is a product of three factors: the error by the output, the output
# by the sum, and the sum by the weight. For w1 to w4 there is one more step: the error of a hidden
# neuron is the sum of what both output neurons send back through their weights.
#
# 勘誤：講義的連鎖律寫成 ∂E/∂o1 × ∂o1/∂o1a × ∂o1a/∂w5，前後顛倒了；
# 加總是 o1、激活之後是 o1a，所以是 ∂E/∂o1a × ∂o1a/∂o1 × ∂o1/∂w5。
#
# Erratum: the deck writes the chain rule as ∂E/∂o1 × ∂o1/∂o1a × ∂o1a/∂w5, which is the wrong way
# round: o1 is the sum and o1a is the value after the activation, so it is ∂E/∂o1a × ∂o1a/∂o1 ×
# ∂o1/∂w5.

# %%
chains = {chain.name: chain for chain in first.chains()}
w5 = chains["w5"]
print(
    f"dE/dw5 = {w5.error_by_output:.9f} x {w5.output_by_sum:.9f} x {w5.sum_by_weight:.9f} = {w5.gradient:.9f}"
)
factors = [w5.error_by_output, w5.output_by_sum, w5.sum_by_weight, w5.gradient]
assert np.allclose(
    factors, [0.741365070, 0.186815602, 0.593269992, 0.082167041], rtol=0, atol=6e-10
)

# %% [markdown]
# ## 更新，然後一直更新 · The update, again and again
#
# 八個權重同時更新，都用舊的權重算梯度，步長 0.5。講義沒有動偏差；偏差也能學，梯度一樣算得出來。
#
# All eight weights are updated at once, with gradients at the old weights and a learning rate of
# 0.5. The deck does not change the biases; they can be learned as well, and their gradients are
# computed in the same way.

# %%
updated = [chain.after for chain in first.chains()]
deck = [
    0.149780716,
    0.199561432,
    0.249751144,
    0.299502287,
    0.358916480,
    0.408666186,
    0.511301270,
    0.561370121,
]
print("w1..w8 ->", np.round(updated, 9))
assert np.allclose(updated, deck, rtol=0, atol=6e-10)
biases = [float(backward.bias) for backward in first.backward]
print("gradients of the biases", np.round(biases, 9))
assert np.allclose(biases, [0.018725609, 0.100400325], rtol=0, atol=6e-10)

runs = {
    moved: backprop.train(
        backprop.LECTURE_NETWORK, backprop.LECTURE_EXAMPLE, 0.5, steps=10_000, move_biases=moved
    )
    for moved in (False, True)
}
for moved, done in runs.items():
    print(f"biases {'moved' if moved else 'fixed'}: error {done.errors[1]:.9f} after 1 step, "
          f"{done.errors[-1]:.3g} after {done.steps:,}; answers {done.outputs.round(4)}")  # fmt: skip
assert np.allclose(
    [runs[False].errors[1], runs[True].errors[1]], [0.291027774, 0.285750887], rtol=0, atol=6e-10
)
assert np.allclose([runs[False].errors[-1], runs[True].errors[-1]], [3.51e-5, 4.36e-6], rtol=2e-3)
below = backprop.train(
    backprop.LECTURE_NETWORK, backprop.LECTURE_EXAMPLE, 0.5, steps=10_000, until=1e-3
)
lesson.show(views.network_page(first, below), "by_hand")

# %% [markdown]
# ## 步長太小與太大 · A step too small, a step too large
#
# 講義說步長小會慢、會困在局部最小值，步長大則不容易收斂。拿同一個網路，用五種步長各走 500 步。
# sigmoid 的網路步子太大時不一定會爆開：權重一下被推得太遠，sigmoid 飽和，斜率趨近 0，就停在原地。
#
# The deck says that small steps are slow and get stuck in local minima, and that large steps do not
# converge easily. Here the same network takes 500 steps of five sizes. In a network of sigmoids,
# too large a step does not necessarily diverge: the weights are pushed so far that the sigmoid
# saturates, its slope is nearly 0, and nothing moves any more.

# %%
errors = {
    rate: backprop.train(backprop.LECTURE_NETWORK, backprop.LECTURE_EXAMPLE, rate, steps=500).errors
    for rate in (0.05, 0.5, 5, 50, 500)
}
for rate, values in errors.items():
    change = abs(values[500] / values[250] - 1)
    print(
        f"step {rate:5g}: error {values[1]:.2e} after 1, {values[500]:.2e} after 500; the last 250 changed it by {change:.1%}"
    )
lowest = min(errors, key=lambda rate: errors[rate][-1])
print(f"lowest after 500 steps: {lowest:g}")
panels = {
    title: {f"步長 step {rate:g}": (range(501), errors[rate]) for rate in rates}
    for title, rates in (("較小 · smaller", (0.05, 0.5, 5)), ("較大 · larger", (50, 500)))
}
figure = plots.show_lines(panels, across="步 · steps", up="誤差 · error", log=True)
figure.axes[0].set_ylim(bottom=5e-6)  # room for the legend
lesson.show(figure, "step_sizes")

# %% [markdown]
# ## 邏輯迴歸，就是一個神經元 · Logistic regression is one neuron
#
# 講義說邏輯迴歸可以寫成神經網路：一個神經元、sigmoid、二元交叉熵，但沒有給資料。
# 我們拿 MNIST 的 0 和 1：784 個權重、一個偏差。如果說法成立，在同樣的懲罰下，
# 係數該和 scikit-learn 的 `LogisticRegression` 一樣。scikit-learn 最小化「C × 損失總和 + ½ 係數平方和」，
# 除以 C 倍的張數，就是「平均損失 + 係數平方和 ÷ (2 C n)」。兩邊都要算到收斂，所以用 L-BFGS，不是走幾個回合。
#
# The deck says that logistic regression is a network of one neuron, with a sigmoid and binary
# cross-entropy, but gives no data. We take the 0s and 1s of MNIST: 784 weights and one bias. If the
# claim is true, then with the same penalty the coefficients must equal those of scikit-learn's
# `LogisticRegression`. scikit-learn minimises C × the sum of the losses + ½ the sum of the squared
# coefficients; divided by C times the number of images, this is the mean loss + the sum of the
# squares / (2 C n). Both must be computed until they converge, so we use L-BFGS instead of a few
# epochs.

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
print(
    f"{len(x):,} images, C {C:g}; coefficients from {coefficients.min():.4f} to {coefficients.max():.4f}"
)
print(
    f"largest difference of a coefficient {apart:.1e}, of the bias {abs(found.x[784] - reference.intercept_[0]):.1e}"
)
assert apart < 1e-3 * np.abs(coefficients).max()

# %% [markdown]
# 係數畫成 28×28 的圖：亮的地方有墨，就往「1」推；暗的地方有墨，就往「0」推。左邊是 scikit-learn，右邊是神經元。
#
# The coefficients are drawn as an image of 28×28: ink where it is bright is evidence for a 1, and
# ink where it is dark is evidence for a 0. scikit-learn is on the left, the neuron on the right.

# %%
new = np.flatnonzero(y_test < 2)
answers = (neuron.predict(x_test[new].astype("float32") / 255, verbose=0)[:, 0] > 0).astype(int)
theirs = reference.predict(x_test[new].reshape(len(new), -1) / 255)
print(
    f"new 0s and 1s: {metrics.accuracy(y_test[new], answers)}; the two agree on {int((answers == theirs).sum())} of {len(new)}"
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
# ## 三種梯度步 · Three kinds of gradient steps
#
# 走一步之前，看多少張圖？全部（批次梯度下降）：方向準，但是一個回合只走一步。一張（隨機梯度下降）：走得勤，但是搖晃。
# 一小批（小批次）：兩者之間，也是 Keras 的 `batch_size`。下面三條線看的圖一樣多，差別只在多久走一步。
#
# How many images are used for a step? All of them (batch gradient descent): the direction is right,
# but there is only one step in an epoch. One (stochastic gradient descent): there are many steps,
# but they are unsteady. A few (mini-batches): this is in between, and it is the `batch_size` of
# Keras. The three lines below have seen the same number of images; they differ in how often a step
# is taken.

# %%
draws = np.random.default_rng(3)
count, epochs = (600, 4) if lesson.quick else (5000, 4)
rows = draws.permutation(len(x))[:count]
flat, target = x[rows].reshape(len(rows), -1).astype("float64"), y[rows]
lines = {}
for name, size, rate in (
    ("全部 · all", len(rows), 0.1),
    ("一小批 · 50", 50, 0.1),
    ("一張 · 1", 1, 0.1),
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
    print(f"{name:12} {steps:>6,} steps of {rate:g} in {epochs} epochs: loss {losses[-1]:.4f}, "
          f"{np.mean(np.diff(losses) > 0):.0%} of the marks went up")  # fmt: skip
lesson.show(
    plots.show_lines({"": lines}, across="回合 · epochs", up="損失 · loss", log=True),
    "kinds_of_steps",
)

# %% [markdown]
# ## 選後端 · Choose the backend
#
# 講義在最前面寫 `os.environ['KERAS_BACKEND'] = 'theano'`。Theano 已經停止開發；今天的選擇是 tensorflow、jax、torch。
# 規則沒變：要在 `import keras` 之前設好。convlens 的寫法是 `convlens train … --backend jax`。
#
# The deck begins with `os.environ['KERAS_BACKEND'] = 'theano'`. Theano is no longer developed; the
# choices today are tensorflow, jax and torch. The rule is the same: it must be set before `import
# keras`. In convlens it is `convlens train … --backend jax`.

# %%
import importlib.util

for engine in convlens.backend.ENGINES:
    state = (
        "runs here"
        if engine == convlens.backend.engine()
        else "installed"
        if importlib.util.find_spec(engine)
        else "not installed"
    )
    print(f"{engine:11} {state}")

# %% [markdown]
# ## 寫出 JPEG 檔：標籤.編號.jpg · Write the JPEG files: label.number.jpg
#
# 講義的資料是 42,000 個檔，名字像 `0.46.jpg`：第 46 張，是個 0。我們從 MNIST 寫出這樣的一個資料夾。
# JPEG 會失真，所以像素和原來差一點點。
#
# The data of the deck are 42,000 files with names such as `0.46.jpg`: number 46, which is a 0. We
# write such a folder from MNIST. JPEG is lossy, so the pixels differ slightly from the originals.

# %%
folder = lesson.place("jpeg")
folder.mkdir(parents=True)
total = 700 if lesson.quick else min(42_000, len(x_all))
chosen = np.random.default_rng(42).permutation(len(x_all))[:total]
for number, index in enumerate(chosen):
    Image.fromarray(x_all[index, :, :, 0]).save(folder / f"{y_all[index]}.{number}.jpg", quality=95)
print(f"{total:,} files, as", ", ".join(sorted(path.name for path in folder.iterdir())[:5]))
back = np.asarray(Image.open(folder / f"{y_all[chosen[0]]}.0.jpg")).astype(int)
print("largest change of a pixel by JPEG:", np.abs(back - x_all[chosen[0], :, :, 0]).max())

# %% [markdown]
# ## 讀檔、洗牌、切分 · Read, shuffle, split
#
# 讀每個檔，檔名第一個點之前就是標籤；洗牌；前 30,000 張訓練，後 12,000 張測試。
# 不洗牌的話，檔案照名字排，前面全是 0、1、2，後面全是 8、9。
#
# Each file is read, and its label is what stands before the first dot of its name. Then the files
# are shuffled; 30,000 are for training and 12,000 for the test. Without shuffling, the files are
# sorted by name: first the 0s, 1s and 2s, and at the end only 8s and 9s.
#
# 勘誤：講義的說明把後 12,000 張也叫做「訓練集」；程式是對的，那是測試集。
#
# Erratum: a note in the deck also calls the last 12,000 images the training set; the code is right,
# they are the test set.

# %%
paths = sorted(folder.iterdir())
images = np.stack([np.asarray(Image.open(path)) for path in paths])[..., None].astype("float32")
labels = np.array([int(path.name.split(".")[0]) for path in paths])
print(
    "sorted by name, the first labels are",
    labels[:8].tolist(),
    "and the last",
    labels[-8:].tolist(),
)
shuffled = np.random.default_rng(1024).permutation(len(paths))
images, labels = images[shuffled], labels[shuffled]
cut = len(paths) * 30 // 42
print(
    f"{cut:,} to train, {len(paths) - cut:,} to test; shuffled, the first labels are",
    labels[:8].tolist(),
)
print("pixels", images.min(), "to", images.max(), "(not scaled, as in the deck)")
lesson.show(plots.show_images(images.astype("uint8"), labels, n=10, columns=10), "jpeg_images")

# %% [markdown]
# convlens 看名字就認得這種資料夾：
#
# convlens recognises such a folder by the names of its files:

# %%
recognised = convlens.load_data(folder)
print(f"{recognised.kind}: {len(recognised):,} images, classes {', '.join(recognised.class_names)}")

# %% [markdown]
# ## 建立模型 · Build the network
#
# 三個卷積層（4、8、16 個濾鏡），激活都是 tanh，兩次池化，128 個神經元，全連接層的權重從常態分布開始：35,754 個參數。
# 從前的 `Convolution2D(4, 5, 5, border_mode='valid')` 現在是 `Conv2D(4, 5, padding="valid")`，
# `init='normal'` 是 `kernel_initializer="random_normal"`，`nb_epoch` 是 `epochs`。
#
# There are three convolutions of 4, 8 and 16 filters, all with tanh, two poolings and 128 neurons;
# the weights of the dense layers start from a normal distribution. This makes 35,754 parameters.
# What used to be `Convolution2D(4, 5, 5, border_mode='valid')` is now `Conv2D(4, 5,
# padding="valid")`, `init='normal'` is `kernel_initializer="random_normal"`, and `nb_epoch` is
# `epochs`.

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
# 講義沒有把像素除以 255。tanh 在 ±3 之外幾乎是平的：加總有幾百那麼大，輸出就貼在 ±1，斜率接近 0。量一量有多少。
#
# The deck does not divide the pixels by 255. Beyond ±3, tanh is nearly flat: sums of several
# hundred give outputs of almost ±1, with slopes near 0. How many outputs are affected?

# %%
first_layer = model.get_layer("conv1")
for name, scale in (("0..255", 1.0), ("0..1", 1 / 255)):
    sums = np.asarray(first_layer(images[:200] * scale))
    ink = (
        np.asarray(keras.ops.average_pool(images[:200], 5, 1))[..., 0] > 0
    )  # windows that see any ink
    print(
        f"pixels {name}: where there is ink, {np.mean(np.abs(sums[ink]) > 0.99):.1%} of conv1's outputs are beyond ±0.99"
    )

# %% [markdown]
# ## 哪個優化器？ · Which optimizer?
#
# 講義匯入了 SGD、Adadelta、Adagrad，卻沒有印出 `compile` 那一行。我們從訓練資料留一成驗證，三個都試，取最好的。
# 學習率用當年 Keras 的預設：0.01、1.0、0.01；今天 Adadelta 的預設是 0.001，幾乎不動。
#
# The deck imports SGD, Adadelta and Adagrad, but does not print its `compile` line. We therefore
# hold back a tenth of the training images for validation, try all three, and take the best. The
# learning rates are the defaults of Keras at that time, 0.01, 1.0 and 0.01; today's default for
# Adadelta is 0.001, with which it hardly moves.

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
    print(f"{name:9} after {trial} epochs: {tried[name]}")
chosen_optimizer = max(tried, key=lambda name: tried[name].value)
print("taken:", chosen_optimizer)

# %% [markdown]
# ## 訓練與評估 · Train and evaluate
#
# 批次 100、10 個回合、每個回合洗牌（`shuffle=True` 本來就是預設）。講義的結果：訓練 99.6 %、測試 98.38 %。
#
# We use batches of 100 and 10 epochs, and shuffle in each epoch (`shuffle=True` is the default
# anyway). The deck's result is 99.6 % in training and 98.38 % in the test.

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
print(f"training {train_score}, test {test_score}")
lesson.compare(
    "MNIST from JPEG files, tanh", test_score, data="mnist", deck=0.9838, seconds=seconds
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
# 同一個網路在 convlens 裡叫 `mnist_tanh`：`convlens train 資料夾 --model mnist_tanh --batch-size 100 --epochs 10`。
#
# The same network is called `mnist_tanh` in convlens: `convlens train FOLDER --model mnist_tanh
# --batch-size 100 --epochs 10`.

# %% [markdown]
# ## 結果 · Results

# %%
lesson.table()

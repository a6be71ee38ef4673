# %% [markdown]
# # 005 熱圖能說什麼，不能說什麼 · What a heat map can and cannot say
#
# 這一課沒有講義。它回答一個訓練完之後一定會遇到的問題：網路為什麼這麼說？
# 我們刻意把一個陷阱放進資料：其中一類的影像，角落都有一個記號。
# 網路學到記號，分數很漂亮；熱圖找到記號，遮蓋檢查證明它；而資料檢查在訓練之前就看得出來。
# 最後是誠實的部分：沒有訓練過的網路也有真實的熱圖，沒通過檢查的熱圖不畫，還有為什麼熱圖說的是「哪裡」，不是「什麼」。
#
# This lesson has no deck. It answers a question that follows every training: why did the network
# say that? We deliberately put a trap into the images: all images of one class have a mark in the
# corner. The network learns the mark, and its score is excellent. The heat map finds the mark,
# the deletion test proves it, and the audit could have found it before the training. The last
# part is about limits: an untrained network has true maps as well, a map that fails its checks is
# not drawn, and a map says where, but not what.

# %%
import numpy as np
from PIL import Image, ImageDraw

import convlens
from convlens import metrics, plots, views

lesson = convlens.Lesson("005")

import keras

keras.utils.set_random_seed(5)

# %% [markdown]
# ## 圓與方 · Round and square
#
# 影像是產生的，所以我們知道答案在哪裡：背景是帶著雜訊的色塊，上面畫一個圓或一個正方形，
# 位置、大小與顏色都不固定。要分辨的是形狀。
#
# The images are generated, so that we know where the answer lies: a disc or a square of random
# position, size and colour is drawn on a background of soft patches of colour with noise. The
# task is to tell the shape.

# %%
SIDE = 64
NAMES = ("round", "square")


def make_image(rng, label):
    """Return an image, and the (row, column) of the middle of its shape."""
    base = rng.integers(40, 216, 3)
    patches = np.uint8(base + rng.integers(-40, 40, (6, 6, 3)))
    image = Image.fromarray(patches).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    radius = int(rng.integers(9, 15))
    row, column = (int(value) for value in rng.integers(26, 48, 2))
    box = (column - radius, row - radius, column + radius, row + radius)
    draw = ImageDraw.Draw(image)
    shape = draw.ellipse if label == 0 else draw.rectangle
    shape(box, fill=tuple(int(value) for value in (base + 128) % 256))
    noisy = np.asarray(image) + rng.normal(0, 10, (SIDE, SIDE, 3))
    return np.uint8(np.clip(noisy, 0, 255)), (row, column)


def make_images(count, seed):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images, middles = zip(*(make_image(rng, label) for label in labels), strict=True)
    return np.stack(images), labels, np.array(middles)


images, labels, _ = make_images(600 if lesson.quick else 2000, seed=1)
plain_images, plain_labels, middles = make_images(200, seed=2)  # the network will not learn these
lesson.show(plots.show_images(images, labels, class_names=NAMES, n=16), "shapes")

# %% [markdown]
# ## 種下一個捷徑 · Plant a shortcut
#
# 現在假裝「圓」的影像都是同一個人拍的，他的軟體在左上角蓋了一個洋紅色的章，8×8 像素。「方」的影像沒有。
# 真實的資料也是這樣：PASCAL VOC 有五分之一的馬，左下角是同一個攝影網站的版權字樣，分類器學到的就是那行字。
#
# Now we pretend that all images of "round" were taken by one person, whose software puts a
# magenta stamp of 8×8 pixels into the top left corner. The images of "square" have none. This
# happens in real data: a fifth of the horses of PASCAL VOC have the copyright notice of one
# photography web site in the bottom left corner, and classifiers have learned that notice.

# %%
MARK = slice(2, 10)  # its rows, and its columns


def stamp(images, colour=(255, 0, 255), rows=MARK, columns=MARK):
    """Return copies of images with a mark."""
    stamped = images.copy()
    stamped[:, rows, columns] = colour
    return stamped


is_round = labels == 0
stamped = images.copy()
stamped[is_round] = stamp(images[is_round])
dataset = convlens.Dataset("stamped shapes", "array", stamped, labels, NAMES)
config = convlens.Config().replace(
    model="small_resnet", epochs=5 if lesson.quick else 10, augment="none", seed=0
)
run = convlens.train(dataset, config, run=lesson.place("stamped"))
classifier = run.classifier()

# %% [markdown]
# 測試集是從同一批影像分出來的，所以它也有記號。分數很高，而且沒有說謊：它說的是「有記號的影像」。
# 把記號拿掉，同一個網路就露出原形。
#
# The test set is a part of the same images, so it has the mark, too. The score is high, and it is
# not wrong: it is the score on images with the mark. Without the mark, we see what the network
# has really learned.


# %%
def accuracy_of(classifier, images, labels):
    return metrics.accuracy(labels, classifier.probabilities(images).argmax(axis=1))


own = run.report["metrics"]["accuracy"]["value"]
lesson.say("its own test images: {percent:.1f} %", percent=100 * own)
without = accuracy_of(classifier, plain_images, plain_labels)
lesson.say("new images without any mark: {score}", score=without)
lesson.compare(lesson.text("shapes with a mark in the corner of one class"), run)
lesson.compare(lesson.text("the same network on new images without the mark"), without)

# %% [markdown]
# ## 熱圖找到記號 · The map finds the mark
#
# `small_resnet` 的最後是全域平均池化與一個全連接層，所以它的類別活化圖是精確的：
# 8×8 個格子的平均加上偏差，就是「圓」的 logit。下面的斷言在每張影像上都成立。
# 峰值是數字最大的那一格；我們數它有多少次碰到記號。
#
# `small_resnet` ends in global average pooling and one dense layer, so that its class activation
# map is exact: the mean of its 8×8 cells plus the bias is the logit of "round". The assertion below
# holds for each image. The peak is the cell with the largest number; we count how often it touches
# the mark.


# %%
def is_on_mark(heat):
    """Return whether the cell with the largest value touches the mark."""
    cell = SIDE / heat.values.shape[0]
    return all(place * cell < MARK.stop and (place + 1) * cell > MARK.start for place in heat.peak)


rounds = stamp(plain_images[plain_labels == 0][: 12 if lesson.quick else 50])
found = [classifier.explain(image, label="round") for image in rounds]
heats = [one.maps[0].map for one in found]
for heat in heats:
    assert abs(heat.values.mean() + heat.bias - heat.logit) <= 1e-5 * heat.absolute
lesson.say(
    "the peak touches the mark in {on_mark} of {count} images; {drawn} maps pass all checks",
    on_mark=sum(is_on_mark(heat) for heat in heats),
    count=len(heats),
    drawn=sum(one.maps[0].drawn for one in found),
)

# %% [markdown]
# 左邊是影像，右邊是精確的熱圖。藍色支持「圓」，橘色反對它，所有熱圖用同一個色階，色階上有數字。
# 每一格看到的影像都比它自己大，所以藍色會散到記號旁邊。
#
# The image is on the left, and its exact map on the right. Blue speaks for "round" and orange
# against it; all maps share one colour scale, which shows its numbers. Each cell depends on more
# of the image than its own place, so that the blue spreads beyond the mark.

# %%
lesson.show(views.draw_explanations(found[:3]), "exact_maps")

# %% [markdown]
# 遮擋法是另一個問題：遮住那個地方，logit 會降多少？它直接遮住像素，位置更準；
# 數字小得多，因為它不是一格對總和的貢獻，所以另外畫一張圖。
#
# Occlusion asks another question: how far does the logit fall if the place is covered? It covers
# the pixels themselves, and is more precise about the place. Its numbers are far smaller, because
# they are not the terms of a mean, so it is drawn in a separate figure.

# %%
shown = [classifier.explain(image, label="round", methods=["occlusion"]) for image in rounds[:3]]
lesson.show(views.draw_explanations(shown), "occlusion_maps")

# %% [markdown]
# ## 遮住它，證明它 · Cover it to prove it
#
# 一張好看的圖不是證據。證據是介入：依熱圖的順序遮住影像的五分之一，logit 必須比隨機遮住同樣大小的一百次降得更多。
# 下面先印出 convlens 的檢查，再親手做一次：只遮記號的 8×8 像素，與遮住右下角同樣大小的一塊比較。
#
# A convincing picture is not evidence. An intervention is: one fifth of the image is covered in
# the order of the map, and the logit must fall further than after a hundred random choices of the
# same size. The checks of convlens are printed below. Then we do it by hand: we cover only the
# 8×8 pixels of the mark, and compare this with covering an equally large place in the bottom
# right corner.

# %%
for check in found[0].maps[0].checks:
    lesson.say("{name}: {value}", name=check.title, value=check.meaning)


def covered(images, rows, columns):
    """Return copies of images with a place in their median colour."""
    copies = images.copy()
    median = np.median(images, axis=(1, 2)).astype(np.uint8)
    copies[:, rows, columns] = median[:, None, None]
    return copies


def logit_of_round(classifier, images):
    return classifier.logits_model.predict(images, verbose=0)[:, 0]


corner = slice(SIDE - MARK.stop, SIDE - MARK.start)
before = logit_of_round(classifier, rounds)
places = {lesson.text("the mark"): MARK, lesson.text("as much elsewhere"): corner}
for name, place in places.items():
    change = logit_of_round(classifier, covered(rounds, place, place)) - before
    lesson.say(
        "covered: {name}; the logit of round changes by {mean:+z.2f} ({low:+z.2f} to {high:+z.2f})",
        name=name,
        mean=change.mean(),
        low=change.min(),
        high=change.max(),
    )

# %% [markdown]
# 反方向也要試：把記號蓋在「方」的影像上。如果網路看的是形狀，答案不該改變。
#
# We also try the opposite: the mark is put on squares. If the network looked at the shape, its
# answer would not change.

# %%
squares = plain_images[plain_labels == 1]


def share_called_round(classifier, images):
    return metrics.wilson((classifier.probabilities(images).argmax(axis=1) == 0).sum(), len(images))


lesson.say("squares called round: {share}", share=share_called_round(classifier, squares))
lesson.say(
    "squares with the mark called round: {share}",
    share=share_called_round(classifier, stamp(squares)),
)

# %% [markdown]
# ## 資料檢查早就看得出來 · The audit could have found it
#
# 熱圖要等到訓練完。`convlens audit` 不必訓練：它在一半的影像裡找「只有一個類別、而且很多影像都一樣」的地方，
# 再用另一半的影像計算有多少張一樣。訓練開始之前，它已經在畫面上警告過我們了（往上看訓練的輸出）。
#
# A map can only be made after the training. `convlens audit` needs no training: in one half of
# the images it looks for a place that is the same in many images of one class only, and in the
# other half it counts these images. It warned us before the training began: look at what the
# training printed above.

# %%
audit = convlens.audit_data(dataset)
(finding,) = audit.of("patch_tells_class")
lesson.say(
    "{code} ({level}): the same place in {own:.0f} % of {name} and in {others:.0f} % of the others",
    code=finding.code,
    level=finding.level,
    own=100 * finding.evidence["of_class"]["value"],
    name=finding.evidence["class"],
    others=100 * finding.evidence["elsewhere"]["value"],
)
top, left, bottom, right = (SIDE * edge for edge in finding.evidence["box"])
lesson.say(
    "rows {top:.0f} to {bottom:.0f}, columns {left:.0f} to {right:.0f} of {side}",
    top=top,
    bottom=bottom,
    left=left,
    right=right,
    side=SIDE,
)
clean = convlens.Dataset("plain shapes", "array", images, labels, NAMES)
assert not convlens.audit_data(clean).of("patch_tells_class")

# %% [markdown]
# ## 沒有捷徑的網路 · A network without the shortcut
#
# 同樣的網路、同樣的設定，用沒有記號的影像訓練。它必須學形狀，所以比較慢，分數也老實。
# 這次我們知道形狀在哪裡，可以量峰值離形狀的中心多遠；記號對它應該沒有作用。
#
# The same network is trained with the same settings on images without the mark. It has to learn
# the shape, which takes longer, and its score is honest. This time we know where the shape is and
# can measure how far the peak is from its centre. The mark should have no effect.

# %%
honest_run = convlens.train(clean, config, run=lesson.place("plain"))
honest = honest_run.classifier()
score = accuracy_of(honest, plain_images, plain_labels)
lesson.say("new images without any mark: {score}", score=score)
lesson.compare(
    lesson.text("a network that learned shapes without the mark, on the same new images"),
    score,
    seconds=honest_run.report["seconds"],
)
lesson.say("squares called round: {share}", share=share_called_round(honest, squares))
lesson.say(
    "squares with the mark called round: {share}", share=share_called_round(honest, stamp(squares))
)

count = 12 if lesson.quick else 50
told = [honest.explain(image) for image in plain_images[:count]]


def distance_to_shape(heat, middle):
    """Return how many pixels the middle of the cell with the peak is from that of the shape."""
    cell = SIDE / heat.values.shape[0]
    return np.hypot(*((np.array(heat.peak) + 0.5) * cell - middle))


distances = [
    distance_to_shape(one.maps[0].map, middle)
    for one, middle in zip(told, middles[:count], strict=True)
]
lesson.say(
    "the peak is {median:.0f} pixels from the middle of the shape (median of {count} images); "
    "{drawn} maps pass all checks",
    median=np.median(distances),
    count=count,
    drawn=sum(one.maps[0].drawn for one in told),
)
drawn_first = sorted(told, key=lambda one: not one.maps[0].drawn)
lesson.show(views.draw_explanations(drawn_first[:3]), "plain_maps")

# %% [markdown]
# ## 沒通過檢查的熱圖 · A map that fails its checks
#
# 精確的熱圖加總一定對，可是遮蓋檢查不一定通過：形狀的線索分散在輪廓上，遮住熱圖排在前面的五分之一，
# logit 未必降得比隨機遮住的多。這時 convlens 不畫圖，而是說明哪一項沒通過。
# 沒通過不等於熱圖是假的，只是這張影像證明不了；把它畫出來，讀者卻會當成證明。
#
# The sum of an exact map is always right, but it need not pass the deletion test. The evidence
# for a shape is spread along its outline, and the logit need not fall further for the fifth of
# the image that the map ranks first than for another fifth. In that case convlens draws no map,
# and says which check has failed. A failure does not mean that the map is false. It means that
# this image does not prove it; but a reader would take a drawing as a proof.

# %%
refused = [one for one in told if not one.maps[0].drawn]
lesson.say("{refused} of {count} maps are not drawn", refused=len(refused), count=len(told))
for one in refused[:1]:
    print(one.maps[0].refusal)
lesson.show(views.draw_explanations((refused or told)[:1]), "refused")

# %% [markdown]
# ## 沒有訓練過的網路 · An untrained network
#
# 把權重換成隨機的初始值，什麼都沒學過。它的精確熱圖仍然是真的：加得起來，也忠實地說明這個網路怎麼算出 logit。
# 只是這個 logit 毫無意義。熱圖說明的是網路，不是世界；所以 convlens 會註明這個網路有多可靠。
# 看看它的峰值離形狀多遠、有多少張通過檢查：一張熱圖指著該看的東西，不表示網路認得那個東西。
#
# The weights are replaced by random initial weights, so that nothing has been learned. The exact
# map is still true: it adds up, and it shows faithfully how this network computes its logit. But
# the logit means nothing. A map explains the network and not the world; this is why convlens
# states how reliable the network is. See how near the peak is to the shape, and how many maps
# pass: if a map points at the right thing, this does not mean that the network recognises it.

# %%
untrained = convlens.Classifier.from_logits(
    keras.models.clone_model(classifier.logits_model), NAMES, classifier.preprocessing
)
lesson.say("accuracy: {score}", score=accuracy_of(untrained, plain_images, plain_labels))
unknowing = [untrained.explain(image) for image in plain_images[:count]]
for one in unknowing:
    heat = one.maps[0].map
    assert abs(heat.values.mean() + heat.bias - heat.logit) <= 1e-5 * heat.absolute
distances = [
    distance_to_shape(one.maps[0].map, middle)
    for one, middle in zip(unknowing, middles[:count], strict=True)
]
lesson.say(
    "the peak is {median:.0f} pixels from the middle of the shape (median of {count} images); "
    "{drawn} maps pass all checks",
    median=np.median(distances),
    count=count,
    drawn=sum(one.maps[0].drawn for one in unknowing),
)
print(unknowing[0].notes[0])
drawn_first = sorted(unknowing, key=lambda one: not one.maps[0].drawn)
lesson.show(views.draw_explanations(drawn_first[:3]), "untrained_maps")

# %% [markdown]
# ## 說的是哪裡，不是什麼 · Where, and not what
#
# 熱圖指著左上角。可是它在意的是那裡的什麼？洋紅色、正方形、亮度，還是任何不像照片的東西？熱圖不會說。
# 要知道，只能改變那個地方，看答案怎麼變。把不同的記號蓋在「方」的影像上：
#
# The map points at the top left corner. But what matters about that corner: the magenta, the
# square shape, the brightness, or anything that is unlike a photograph? The map does not say. The
# only way to find out is to change the place and see how the answer changes. We put other marks
# on squares:

# %%
half = slice(MARK.start, MARK.start + 4)
marks = {
    lesson.text("the mark"): {},
    lesson.text("half as wide"): {"rows": half, "columns": half},
    lesson.text("in the bottom right corner"): {"rows": corner, "columns": corner},
    lesson.text("a red one"): {"colour": (255, 0, 0)},
    lesson.text("a green one"): {"colour": (0, 255, 0)},
    lesson.text("a grey one"): {"colour": (128, 128, 128)},
}
for name, changed in marks.items():
    lesson.say(
        "{name}: {share} of the squares are called round",
        name=name,
        share=share_called_round(classifier, stamp(squares, **changed)),
    )

# %% [markdown]
# ## 結論 · Conclusions
#
# 熱圖能說的：
#
# - 在這張影像上，這個網路的答案來自哪些地方，單位是 logit。
# - 通過遮蓋檢查的話，遮住那些地方真的會改變答案。
# - 網路靠的是不該靠的地方，例如角落的記號。
#
# 熱圖不能說的：
#
# - 那個地方的什麼有關係：顏色、紋理，還是形狀。改變它才知道。
# - 網路對不對。捷徑與什麼都沒學到的網路，都有真實的熱圖。
# - 其他影像的事。一張影像的熱圖只說那一張。
# - 沒畫出來的熱圖是不是假的。它只是沒有被證明。
#
# 所以順序是：先檢查資料，再訓練，用不同來源的影像測試，最後才看熱圖。
#
# What a map can say:
#
# * Which places of this image lead to the answer of this network, in the unit of the logit.
# * If it passes the deletion test, that the answer really changes without these places.
# * Whether the network relies on something it should not rely on, such as a mark in the corner.
#
# What a map cannot say:
#
# * What matters about the place: its colour, its texture or its shape. Change it to find out.
# * Whether the network is right. A network with a shortcut, and one that has learned nothing, have
#   true maps, too.
# * Anything about other images. The map of an image is about that image only.
# * Whether a map that was not drawn is false. It was only not proved.
#
# So the order is: audit the images, train, test on images from other sources, and only then look at
# maps.

# %%
lesson.table()

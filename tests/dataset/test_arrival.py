import copy
import os
import shutil
import tracemalloc

import msgspec
import pytest
from PIL import Image

from stages import files, settings
from stages.dataset import arrival, coco
from stages.problem import Problem
from tests.helpers.checkouts import ROOT
from tests.helpers.projects import subset

NEAR = settings.load(ROOT / "params.yaml").split


@pytest.fixture
def known(bins):
    """The dataset that there is: all of the world but one group."""
    dataset = coco.read(bins / "annotations.json")
    return coco.subset(dataset, [i.id for i in dataset.images if not i.file_name.startswith("spray_night/")])


@pytest.fixture
def product(bins, tmp_path):
    """Four images of a group that the dataset does not have, and two to test with."""
    folder = tmp_path / "spray"
    subset(bins, "spray_night", 4, folder)
    dataset = coco.read(bins / "annotations.json")
    last = [i.id for i in dataset.images if i.file_name.startswith("spray_night/")][4:6]
    test = coco.subset(dataset, last)
    for image in test.images:
        target = folder / "test" / "images" / image.file_name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bins / "images" / image.file_name, target)
    coco.write(folder / "test" / "annotations.json", test)
    files.write(folder / "product.yaml", "classes: []\n")
    return folder


def check(folder, known, bins, least=4):
    return arrival.check(folder, known, arrival.traits(bins / "images", known.images), least, NEAR)


def edit(folder, change):
    path = folder / "annotations.json"
    dataset = coco.read(path)
    change(dataset)
    coco.write(path, dataset)


def test_a_good_product_is_read_whole(product, known, bins):
    dataset = check(product, known, bins)
    assert [image.split for image in dataset.images] == ["train"] * 4 + ["test"] * 2
    assert len({image.id for image in dataset.images}) == 6


def test_test_images_may_be_declared_instead_of_lying_in_test(product, known, bins):
    shutil.rmtree(product / "test")
    (product / "annotations.json").write_bytes(
        (product / "annotations.json").read_bytes().replace(b'"file_name"', b'"split": "test", "file_name"', 1)
    )
    with pytest.raises(Problem, match="3 training images; at least 4"):
        check(product, known, bins)
    assert [image.split for image in arrival.joined(product).images] == ["test", "train", "train", "train"]


def same(folder):
    first, *others = sorted((folder / "images").rglob("*.png"))
    shutil.copyfile(first, others[0])


def renamed(dataset):
    dataset.categories = [msgspec.structs.replace(c, name=f"new {c.name}") for c in dataset.categories]


def changed(dataset, **fields):
    """Give all objects the same values."""
    for annotation in dataset.annotations:
        for name, value in fields.items():
            setattr(annotation, name, value)


def unmasked(dataset):
    dataset.annotations[0].segmentation = msgspec.Raw(b"7")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda f: (f / "product.yaml").unlink(), r"product\.yaml is missing"),
        (lambda f: files.write(f / "product.yaml", "clases: []"), r"product\.yaml: .*unknown field `clases`"),
        (lambda f: files.write(f / "product.yaml", "{"), r"product\.yaml is not YAML: "),
        (lambda f: files.write(f / "product.yaml", "classes: [2020-99-99]"), "month must be in 1..12"),
        (lambda f: files.write(f / "product.yaml", "real: !!bool x"), r"product\.yaml is not YAML"),
        (lambda f: files.write(f / "product.yaml", "[" * 100_000), "nested too deeply"),  # which crashes libyaml
        (lambda f: files.write(f / "product.yaml", "classes: [" + "a," * 200_000), "more than 200,000 bytes"),
        (lambda f: (f / "annotations.json").write_text("{"), "not JSON"),
        (lambda f: next((f / "images").rglob("*.png")).write_bytes(b"no"), "not a whole picture"),
        (lambda f: next((f / "images").rglob("*.png")).unlink(), "the file is missing"),
        (lambda f: edit(f, lambda d: d.images.pop()), "3 training images; at least 4"),
        (same, "of 4 training images only 3 are not nearly the same as another; at least 4"),
        (lambda f: edit(f, renamed), "unknown classes new S; the dataset has B, C, E, S, T"),
        (lambda f: edit(f, lambda d: d.annotations.clear()), "show no object at all"),
        (lambda f: edit(f, lambda d: changed(d, iscrowd=1)), "show no object at all"),
        (lambda f: edit(f, lambda d: changed(d, bbox=(-90.0, 5.0, 40.0, 40.0))), "show no object at all"),
        (lambda f: edit(f, lambda d: changed(d, bbox=(0.1, 0.2, 0.5, 0.8))), "its boxes are shares of the picture"),
        (lambda f: edit(f, lambda d: changed(d, bbox=(1e308, 5.0, 9.0, 9.0))), "its box .* is in no photograph"),
        (lambda f: (f / "out").symlink_to("/etc"), "out: a link"),
        (lambda f: os.mkfifo(f / "images" / "pipe.png"), "images/pipe.png: neither a file nor a folder"),
        (lambda f: edit(f, unmasked), "its segmentation cannot be read"),
        (lambda f: edit(f, lambda d: setattr(d.images[0], "file_name", "../../x.png")), "leaves its folder"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(product, known, bins, harm, said):
    harm(product)
    with pytest.raises(Problem, match=said):
        check(product, known, bins)


def test_without_test_images_all_are_to_train_on(product, known, bins):
    shutil.rmtree(product / "test")
    assert [image.split for image in check(product, known, bins).images] == ["train"] * 4


def test_a_class_that_is_declared_is_taken(product, known, bins):
    edit(product, renamed)
    shutil.rmtree(product / "test")
    files.write(product / "product.yaml", "classes: [new S]\n")
    assert len(check(product, known, bins).images) == 4


def test_a_class_that_differs_from_a_known_one_in_capitals_alone_is_refused(product, known, bins):
    edit(product, lambda d: [setattr(of, "name", of.name.lower()) for of in d.categories])
    shutil.rmtree(product / "test")
    files.write(product / "product.yaml", "classes: [s]\n")
    with pytest.raises(Problem, match="the categories 'S' and 's' differ in nothing that can be seen, or in capitals"):
        check(product, known, bins)


def test_a_product_that_is_there_already_is_refused(product, bins):
    with pytest.raises(Problem, match=r"6 of its 6 images are in the dataset already, such as spray_night/"):
        check(product, coco.read(bins / "annotations.json"), bins)


@pytest.mark.parametrize(
    ("name", "groups", "said"),
    [
        ("tube_mint", {}, "tube_mint: the dataset has a group or a folder of this name"),
        ("spray_", {}, "spray_: its group would be called spray;"),
        ("a__b", {}, "a__b: its group would be called a_b;"),
        ("others", {"others": ["*"]}, "others: the dataset has a group"),
        ("focus", {}, "focus: in params.yaml this word means another group"),
        ("tube_mint", {"rest": ["*"]}, "tube_mint: the dataset has a group or a folder"),
    ],
)
def test_a_name_that_would_be_no_group_of_its_own_is_refused(known, name, groups, said):
    with pytest.raises(Problem, match=said):
        arrival.check_name(name, known, groups)


@pytest.mark.parametrize("kind", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/proc/kmsg")])
def test_what_it_is_called_is_read_from_a_file_alone(product, kind):
    (product / "product.yaml").unlink()
    kind(product / "product.yaml")
    with pytest.raises(Problem, match="missing, or is no file"):
        arrival.about(product)


def test_where_a_link_leads_is_not_read(product):
    before = arrival.content(product)
    (product / "endless").symlink_to("/proc/kmsg")
    linked = arrival.content(product)
    (product / "endless").unlink()
    (product / "endless").symlink_to("/dev/zero")
    assert len({before, linked, arrival.content(product)}) == 3


@pytest.mark.parametrize("groups", [{}, {"rest": ["*"]}])
def test_a_new_name_is_taken(known, groups):
    arrival.check_name("spray", known, groups)


def test_its_ids_stay_when_another_product_is_taken_out(product, known, bins, tmp_path):
    dataset = check(product, known, bins)
    for name in ("spray", "can_new"):
        arrival.tidy(product, copy.deepcopy(dataset), tmp_path / "products" / name)

    def ids(*names):
        source = tmp_path / "-".join(names)
        coco.write(source / "annotations.json", known)
        arrival.join(source, tmp_path / "products", list(names))
        whole = coco.read(source / "annotations.json")
        mine = coco.grouped(whole, {})["can_new"]
        return [image.id for image in mine], [a.id for image in mine for a in coco.by_image(whole)[image.id]]

    assert ids("can_new") == ids("spray", "can_new") == ids("can_new", "spray")


def test_it_joins_a_dataset_whose_ids_are_large(product, known, bins, tmp_path):
    arrival.tidy(product, check(product, known, bins), tmp_path / "products" / "spray")
    for k, image in enumerate(known.images):
        image.id = 10_000_001 + k
    for k, a in enumerate(known.annotations):
        a.id, a.image_id = 10_000_001 + k, known.images[0].id
    coco.write(tmp_path / "source" / "annotations.json", known)
    arrival.join(tmp_path / "source", tmp_path / "products", ["spray"])
    assert len(coco.read(tmp_path / "source" / "annotations.json").images) == len(known.images) + 6


def test_a_folder_called_test_is_not_mixed_with_the_test_images(product, known, bins, tmp_path):
    """images/test/0.png trains, test/images/0.png tests."""

    def rename(folder, names):
        dataset = coco.read(folder / "annotations.json")
        for image, name in zip(dataset.images, names, strict=True):
            (folder / "images" / name).parent.mkdir(exist_ok=True)
            (folder / "images" / image.file_name).rename(folder / "images" / name)
            image.file_name = name
        coco.write(folder / "annotations.json", dataset)

    rename(product, [f"test/{k}.png" for k in range(4)])
    rename(product / "test", [f"{k}.png" for k in range(2)])
    before = {files.digest(path) for path in product.rglob("*.png")}
    arrival.tidy(product, check(product, known, bins), tmp_path / "tidied")
    tidied = coco.read(tmp_path / "tidied" / "annotations.json")
    assert {files.digest(tmp_path / "tidied" / "images" / i.file_name) for i in tidied.images} == before
    assert [i.split for i in tidied.images] == ["train"] * 4 + ["test"] * 2


def test_it_joins_the_dataset_as_a_group_of_its_own(product, known, bins, tmp_path):
    dataset = check(product, known, bins)
    arrival.tidy(product, dataset, tmp_path / "products" / "spray")
    source = tmp_path / "source"
    coco.write(source / "annotations.json", known)
    arrival.join(source, tmp_path / "products", ["spray"])
    whole = coco.read(source / "annotations.json")
    mine = coco.grouped(whole, {})["spray"]
    assert [image.split for image in mine] == ["train"] * 4 + ["test"] * 2
    assert all((source / "images" / image.file_name).is_file() for image in mine)
    assert whole.images[: len(known.images)] == known.images
    assert [(a.id, a.bbox) for a in whole.annotations[: len(known.annotations)]] == [
        (a.id, a.bbox) for a in known.annotations
    ]
    original = coco.read(bins / "annotations.json")
    by_name = {image.file_name: coco.by_image(original)[image.id] for image in original.images}
    for image in mine:
        was = by_name[image.file_name.removeprefix("spray/").removeprefix("test/")]
        assert [(a.bbox, a.category_id) for a in coco.by_image(whole)[image.id]] == [
            (a.bbox, a.category_id) for a in was
        ]


def test_the_word_ready_and_a_reason_are_no_content(product):
    before = arrival.content(product)
    (product / "READY").touch()
    (product / "reason.json").write_text("{}")
    assert arrival.content(product) == before
    (product / "more.txt").write_text("x")
    assert arrival.content(product) != before


def test_beside_a_real_product_the_built_in_world_counts_for_nothing(bins, product):
    drawn = settings.load(ROOT / "params.yaml").dataset
    annotations = bins / "annotations.json"
    assert not arrival.before(annotations, drawn, real=True).images
    assert len(coco.grouped(arrival.before(annotations, drawn, real=False), {})) > 1
    mine = msgspec.structs.replace(drawn, arrived=["tube_mint"])
    beside = arrival.before(annotations, mine, real=True)
    assert set(coco.grouped(beside, {})) == {"tube_mint"}
    assert arrival.used(beside) == beside.categories
    files.write(product / "product.yaml", "{classes: [A, B, C, D, E, S], real: true}")
    assert len(check(product, arrival.before(annotations, drawn, real=True), bins).images) == 6


def test_a_dataset_may_be_nothing_but_what_has_arrived(product, tmp_path):
    arrival.tidy(product, arrival.joined(product), tmp_path / "products" / "spray")
    arrival.join(tmp_path / "source", tmp_path / "products", ["spray"])
    assert len(coco.read(tmp_path / "source" / "annotations.json").images) == 6


@pytest.mark.parametrize(
    ("sides", "large", "pixels"),
    [
        ((40, 60), 640, (384, 96)),  # for 40 pixels to be 24, 640 are 384; the 60 are 36, and have room in 96
        ((100, 300), 640, (160, 128)),
        ((10, 10), 640, (640, 96)),  # no more than there is
        ((10, 10), 4000, (640, 96)),
    ],
)
def test_pictures_are_as_large_as_most_objects_need(sides, large, pixels):
    images = [coco.Image(1, "1.png", large, large // 2)]
    boxes = [(0, 0, *sides), (0, 0, *sides[::-1]), (0, 0, 600, 300)]
    annotations = [coco.Annotation(id=k, image_id=1, category_id=1, bbox=box, iscrowd=0) for k, box in enumerate(boxes)]
    assert arrival.seen_at(coco.Coco(images, [], annotations), 24) == pixels


def test_of_what_leaves_its_image_the_part_inside_counts():
    images = [coco.Image(1, "1.png", 640, 320)]
    boxes = [(-1e308, 0, 1.2e308, 40), (-3000, 0, 6000, 40), (0, 300, 100, 1e300)]
    annotations = [coco.Annotation(id=k, image_id=1, category_id=1, bbox=box, iscrowd=0) for k, box in enumerate(boxes)]
    assert arrival.seen_at(coco.Coco(images, [], annotations), 40) == (640, 640)


def test_ids_that_leave_none_for_others_are_refused(product, known, bins):
    dataset = coco.read(product / "annotations.json")
    for image in dataset.images[-1:]:
        for annotation in coco.by_image(dataset)[image.id]:
            annotation.image_id = 2**63 - 1
        image.id = 2**63 - 1
    coco.write(product / "annotations.json", dataset)
    with pytest.raises(Problem, match=f"an id of {2**63 - 1} leaves none for others"):
        check(product, known, bins)


def test_a_mask_is_checked_without_being_drawn(tmp_path):
    """A picture of many pixels, and many masks of few: what is declared must not be multiplied."""
    Image.new("L", (2000, 2000)).save(tmp_path / "a.png")
    (tmp_path / "images").mkdir()
    (tmp_path / "a.png").rename(tmp_path / "images" / "a.png")
    corners = msgspec.Raw(b"[[1, 1, 5, 1, 1, 5]]")
    annotations = [coco.Annotation(k, 1, 1, (1, 1, 4, 4), segmentation=corners) for k in range(200)]
    image = coco.Image(1, "a.png", 2000, 2000)
    coco.write(tmp_path / "annotations.json", coco.Coco([image], [coco.Category(1, "can")], annotations))
    tracemalloc.start()
    assert len(arrival.read(tmp_path).annotations) == 200
    assert tracemalloc.get_traced_memory()[1] < 2000 * 2000
    tracemalloc.stop()

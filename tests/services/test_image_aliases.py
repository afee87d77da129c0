"""The alias table: which URIs of AWS's images it knows, and what a user's own table does."""

from pathlib import Path

import pytest

from samebox.services import image_aliases

LEARN = "sagemaker-scikit-learn:1.2-1-cpu-py3"


@pytest.mark.parametrize(
    ("uri", "image"),
    [
        (f"683313688378.dkr.ecr.us-east-1.amazonaws.com/{LEARN}", "samebox/sklearn:cpu"),
        (f"366743142698.dkr.ecr.ap-northeast-2.amazonaws.com/{LEARN}", "samebox/sklearn:cpu"),
        (f"450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/{LEARN}", "samebox/sklearn:cpu"),
        (f"414596584902.dkr.ecr.us-gov-west-1.amazonaws.com/{LEARN}", "samebox/sklearn:cpu"),
        (f"683313688378.dkr-ecr.us-east-1.on.aws/{LEARN}", "samebox/sklearn:cpu"),
        ("246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1", "samebox/xgboost:cpu"),
        ("433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost:latest", "samebox/xgboost:cpu"),
        (
            "763104351884.dkr.ecr.eu-west-1.amazonaws.com/tensorflow-training:2.11.0-cpu-py39-ubuntu20.04-sagemaker",
            "samebox/train:cpu",
        ),
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/tensorflow-inference:2.12.1-cpu", "samebox/serve:cpu"),
        ("763104351884.dkr.ecr.eu-west-1.amazonaws.com/tensorflow-inference:2.12.1-gpu", "samebox/serve:cu118"),
        ("173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu", "samebox/spark:cpu"),
    ],
)
def test_images_of_aws_have_a_stand_in(uri: str, image: str) -> None:
    found = image_aliases.read().find(uri)
    assert found is not None
    assert found.image == image


@pytest.mark.parametrize(
    "uri",
    [
        f"246618743249.dkr.ecr.us-east-1.amazonaws.com/{LEARN}",  # us-west-2's account
        f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{LEARN}",  # a customer's own
        f"683313688378.example.com/{LEARN}",
        LEARN,
        "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311",
        "520713654638.dkr.ecr.us-east-1.amazonaws.com/sagemaker-tensorflow-scriptmode:1.12.0-cpu-py3",
    ],
)
def test_other_images_have_none(uri: str) -> None:
    assert image_aliases.read().find(uri) is None


def test_the_users_table_comes_first(tmp_path: Path) -> None:
    table = tmp_path / "own.toml"
    table.write_text(
        '[[images]]\nuris = ["{deep-learning}/pytorch-training:*", "*.dkr.ecr.*/sagemaker-xgboost:1.7-1"]\n'
        'image = "mine:1"\nbuild = "make mine"\n'
    )
    found = image_aliases.read(str(table))
    xgboost = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost"
    for uri in ("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311", f"{xgboost}:1.7-1"):
        alias = found.find(uri)
        assert alias is not None
        assert (alias.image, alias.command) == ("mine:1", "make mine")
    other = found.find(f"{xgboost}:3.0-5")
    assert other is not None
    assert other.image == "samebox/xgboost:cpu"


def test_a_users_table_may_bring_registries(tmp_path: Path) -> None:
    table = tmp_path / "own.toml"
    table.write_text(
        '[[images]]\nuris = ["{mine}/app:*"]\nimage = "app:1"\n\n[registries.mine]\n123456789012 = ["us-east-1"]\n'
    )
    found = image_aliases.read(str(table))
    assert found.find("123456789012.dkr.ecr.us-east-1.amazonaws.com/app:2") is not None
    assert found.find("123456789012.dkr.ecr.us-east-2.amazonaws.com/app:2") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[images]", "Expected"),
        ('[[images]]\nuris = ["a"]\n', "entry 1 of [[images]] has no image."),
        ('[[images]]\nuris = ["a"]\nimage = "b"\ntag = "c"\n', "entry 1 of [[images]] has tag; known are uris,"),
        ('[[images]]\nuris = "a"\nimage = "b"\n', "entry 1 of [[images]]: uris must be a list of texts."),
        ('[[images]]\nuris = ["a"]\nimage = 1\n', "entry 1 of [[images]]: image must be a text."),
        ('[[images]]\nuris = ["{x}/a"]\nimage = "b"\n', "{x}/a names a registry that is not in [registries]."),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_name(tmp_path: Path, text: str, problem: str) -> None:
    table = tmp_path / "own.toml"
    table.write_text(text)
    with pytest.raises(ValueError, match="SAMEBOX_IMAGE_ALIASES=") as refused:
        image_aliases.read(str(table))
    assert str(table) in str(refused.value)
    assert problem in str(refused.value)

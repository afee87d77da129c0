import gzip
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebox.data.artifacts import ArtifactError, EmptyDirectory, merge, pack, unpack


def member(
    name: str, kind: bytes = tarfile.REGTYPE, body: bytes = b"", **fields: object
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(body)
    for field, value in {"mode": 0o755 if kind == tarfile.DIRTYPE else 0o640, "mtime": 1_600_000_000, **fields}.items():
        setattr(info, field, value)
    return info, body


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as file:
        for info, body in members:
            file.addfile(info, io.BytesIO(body))
    return out.getvalue()


def targz(*members: tuple[tarfile.TarInfo, bytes]) -> list[bytes]:
    return [gzip.compress(tar(*members))]


def pieces(data: bytes, size: int = 700) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        return file.getnames()


MODEL = tar(
    member("model/", tarfile.DIRTYPE),
    member("model/1/", tarfile.DIRTYPE),
    member("model/1/saved_model.pb", body=b"weights" * 1000, uid=1000, gid=1000, uname="somebody"),
    member("model/1/same", tarfile.SYMTYPE, linkname="saved_model.pb"),
    member("model/1/hard", tarfile.LNKTYPE, linkname="model/1/saved_model.pb"),
    member("model/socket", tarfile.FIFOTYPE),
    member("model/" + "n" * 120, body=b"long name"),
    member("model/é", body=b"not ASCII"),
)


def test_directories_of_several_hosts_become_one_archive_in_which_the_first_file_of_a_name_stays() -> None:
    first = tar(member("model/", tarfile.DIRTYPE), member("model/same", body=b"1"), member("model/one", body=b"1"))
    second = tar(member("model/", tarfile.DIRTYPE), member("model/same", body=b"2"), member("model/two", body=b"2"))
    archive = b"".join(merge([[first], [tar(member("model/", tarfile.DIRTYPE))], pieces(second)]))
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        found = {one.name: content.read() for one in file if (content := file.extractfile(one)) is not None}
    assert found == {"same": b"1", "one": b"1", "two": b"2"}


def test_several_empty_directories_make_no_archive() -> None:
    empty = tar(member("model/", tarfile.DIRTYPE))
    for tars in ([], [[empty]], [[empty], [empty]]):
        with pytest.raises(EmptyDirectory):
            next(merge(tars))


def test_an_archive_holds_the_contents_without_their_directory() -> None:
    archive = b"".join(pack(pieces(MODEL)))
    assert names(archive) == ["1", "1/saved_model.pb", "1/same", "1/hard", "n" * 120, "é"]
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        model = file.getmember("1/saved_model.pb")
        assert (model.uid, model.gid, model.uname, model.mode, model.mtime) == (0, 0, "", 0o640, 1_600_000_000)
        assert file.extractfile(model).read() == b"weights" * 1000  # type: ignore[union-attr]
        assert file.getmember("1/hard").linkname == "1/saved_model.pb"
        assert file.getmember("1/same").linkname == "saved_model.pb"


def test_the_same_tree_gives_the_same_bytes() -> None:
    assert b"".join(pack(pieces(MODEL))) == b"".join(pack(pieces(MODEL, 8192)))
    assert b"".join(pack([MODEL]))[:10] == bytes.fromhex("1f8b08000000000000ff")


@pytest.mark.parametrize("more", [(), (member("model/socket", tarfile.FIFOTYPE),)], ids=["nothing", "only a pipe"])
def test_of_an_empty_directory_there_is_no_archive(more: tuple[tuple[tarfile.TarInfo, bytes], ...]) -> None:
    with pytest.raises(EmptyDirectory):
        next(pack([tar(member("model/", tarfile.DIRTYPE), *more)]))


def test_a_directory_that_holds_an_empty_directory_is_packed() -> None:
    model = tar(member("model/", tarfile.DIRTYPE), member("model/1/", tarfile.DIRTYPE))
    assert names(b"".join(pack([model]))) == ["1"]


@pytest.mark.parametrize("at", [0, 100, 512, 700, 1024, 1536, 4000, len(MODEL) - 10240])
def test_half_a_tar_is_never_taken_for_a_whole_one(at: int) -> None:
    with pytest.raises(ArtifactError) as raised:
        list(pack(pieces(MODEL[:at])))
    assert raised.value.reason == "not-a-tar"


def test_what_was_packed_unpacks(tmp_path: Path) -> None:
    source = tar(
        member("model/", tarfile.DIRTYPE),
        member("model/run", body=b"#!", mode=0o700),
        member("model/a/b", body=b"x" * 3_000_000, mode=0o600),
    )
    assert unpack(pack(pieces(source, 65536)), tmp_path / "model") == 3_000_002
    assert stat.S_IMODE((tmp_path / "model" / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "model" / "a" / "b").stat().st_mode) == 0o644
    assert (tmp_path / "model" / "a" / "b").stat().st_mtime == 1_600_000_000
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_dots_before_names_are_taken_off(tmp_path: Path) -> None:
    unpack(targz(member("./", tarfile.DIRTYPE), member("./a/./b", body=b"x")), tmp_path / "model")
    assert (tmp_path / "model" / "a" / "b").read_bytes() == b"x"


def test_what_stood_there_before_is_replaced(tmp_path: Path) -> None:
    unpack(targz(member("old", body=b"1")), tmp_path / "model")
    unpack(targz(member("new", body=b"2")), tmp_path / "model")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["new"]


HUGE = tarfile.TarInfo("a")
HUGE.type, HUGE.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
BOMB = gzip.compress(tar(member("zeros", body=bytes(50_000_000))))

BAD = {
    "not a gzip": ("not-a-tar", [b"<html>Not found</html>"]),
    "nothing": ("not-a-tar", []),
    "a gzip of no tar": ("not-a-tar", [gzip.compress(b"hello" * 1000)]),
    "a gzip of nothing": ("not-a-tar", [gzip.compress(b"")]),
    "a plain tar": ("not-a-tar", [MODEL]),
    "half a gzip": ("not-a-tar", [targz(member("a", body=os.urandom(5000)))[0][:-3000]]),
    "a gzip without its checksum": ("not-a-tar", [targz(member("a", body=b"x"))[0][:-4]]),
    "a wrong checksum": ("not-a-tar", [targz(member("a", body=b"x"))[0][:-8] + bytes(8)]),
    "garbage behind the first member": ("not-a-tar", [gzip.compress(MODEL[:1024] + b"\x01" * 1024)]),
    "a tar that breaks off": ("not-a-tar", [gzip.compress(MODEL[:3000])]),
    "dots": ("outside", targz(member("../x", body=b"1"))),
    "dots in the middle": ("outside", targz(member("a/../../x", body=b"1"))),
    "an absolute path": ("outside", targz(member("/etc/passwd", body=b"1"))),
    "a symbolic link": ("link", targz(member("a", tarfile.SYMTYPE, linkname="b"))),
    "a hard link": ("link", targz(member("a", body=b"1"), member("b", tarfile.LNKTYPE, linkname="a"))),
    "a link out, then through it": (
        "link",
        targz(member("a", tarfile.SYMTYPE, linkname="/tmp"), member("a/x", body=b"1")),
    ),
    "a device": ("device", targz(member("null", tarfile.CHRTYPE))),
    "a pipe": ("device", targz(member("pipe", tarfile.FIFOTYPE))),
    "a long name": ("name", targz(member("d/" + "x" * 256, body=b"1"))),
    "a blank name": ("name", targz(member("d/ /x", body=b"1"))),
    "a name of a terabyte": ("name", [gzip.compress(HUGE.tobuf(tarfile.GNU_FORMAT) + bytes(4096))]),
    "a directory over a file": ("clash", targz(member("a", body=b"1"), member("a/b", body=b"2"))),
    "a file over a directory": ("clash", targz(member("a/b", body=b"1"), member("a", body=b"2"))),
    "too many bytes": ("too-large", [BOMB]),
    "too many members": ("too-large", targz(*(member(f"f{number}") for number in range(30)))),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_archive_is_refused_and_leaves_nothing(case: str, tmp_path: Path) -> None:
    reason, chunks = BAD[case]
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "kept").touch()
    with pytest.raises(ArtifactError) as raised:
        unpack(chunks, tmp_path / "model", limit_bytes=10_000_000, limit_members=20)
    assert raised.value.reason == reason
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["model", "model/kept"]


def test_gzip_members_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    whole = tar(member("a", body=b"x" * 2000))
    unpack([gzip.compress(whole[:1000]) + gzip.compress(whole[1000:]) + bytes(512)], tmp_path / "model")
    assert (tmp_path / "model" / "a").read_bytes() == b"x" * 2000

import pytest

from .chapters import Block, differs, read

CHAPTER = """# Shops

Set it first:

```sh
SHOP=42
```

```sh 409
curl "$API/shops"
```
```json
{"code": "taken", "id": "…"}
```
<!-- keep CODE=code ID=id -->

```python
curl = "is not for us"
```
"""


def test_a_chapter_is_read_as_blocks_of_shell(tmp_path):
    (tmp_path / "shops.md").write_text(CHAPTER)
    assert read(tmp_path / "shops.md") == [
        Block(5, "SHOP=42\n"),
        Block(
            9,
            'curl "$API/shops"\n',
            status="409",
            answer={"code": "taken", "id": "…"},
            keeps={"CODE": "code", "ID": "id"},
        ),
    ]


@pytest.mark.parametrize(
    ("told", "given", "where"),
    [
        ({"id": "…", "n": 1}, {"id": "x", "n": 1}, ""),
        ({"id": "xda_…"}, {"id": "xdr_1"}, ".id is 'xdr_1'"),
        ({"id": "…"}, {"id": None}, ".id is None"),
        ({"is": True}, {"is": 1}, ".is is 1"),
        ({"id": "…"}, {"id": 7}, ""),
        ({"is": "…"}, {"is": True}, ".is is True"),
        ({"n": "7"}, {"n": 7}, ".n is 7"),
        ({"id": "…"}, {"id": "x", "secret": "y"}, " has ['id', 'secret']"),
        (["a", "…"], ["a", "b", "c"], ""),
        (["a"], ["a", "b"], " has 2 items"),
        ([{"a": 1}], [{"a": 2}], "[0].a is 2"),
    ],
)
def test_an_answer_that_is_not_what_the_guide_tells_is_found(told, given, where):
    assert differs(told, given) == where

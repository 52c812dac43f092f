"""What the lines of a show block ask for: the search that the prompt names, and what models write in its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from super_agent.core.replies.coder_reply import parse_coder_reply
from super_agent.core.replies.search_requests import search_in
from super_agent.core.replies.types import SearchRequest, ShowRequest, Surroundings

FILES = ("shop/price.py", "shop/find it.py", "grep", "README.md")
AROUND = Surroundings("", dict.fromkeys(FILES, frozenset()))


@pytest.mark.parametrize(
    "line",
    [
        "search: price_of",
        "search price_of",
        "search for price_of",
        "Search: `price_of`",
        'search: "price_of"',
        "grep price_of",
        "grep: price_of",
        'grep -rn "price_of" .',
        "grep -rn 'price_of' .",
        "grep -R -n price_of ./ | head -20",
        "rg price_of",
        "rg -n -C 3 price_of",
        "rg -A3 'price_of' 2>/dev/null",
        "git grep -n price_of",
        "find price_of",
        "- search: price_of",
        "$ grep -r price_of",
        "`grep -rn price_of .`",
        '"price_of"',
        "`price_of`",
        "where is price_of",
        "grep -rne price_of",
        "grep -e price_of -r .",
        "ag price_of",
        "look for price_of",
        "procurar por price_of",
    ],
)
def test_a_text_is_looked_for_in_each_form_that_models_know(line: str) -> None:
    assert search_in(line, FILES) == SearchRequest("price_of")


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("search: def price_of(item):", SearchRequest("def price_of(item):")),
        ("search: the price in the shop", SearchRequest("the price in the shop")),
        ("search: price_of in shop", SearchRequest("price_of", "shop")),
        ("search: price_of in shop/price.py", SearchRequest("price_of", "shop/price.py")),
        ("grep -rn 'def price' shop/ --include='*.py'", SearchRequest("def price", "shop/", "*.py")),
        ("rg -g '*.py' -t py price shop", SearchRequest("price", "shop", "*.py")),
        (r'grep -rn "price\|cost" .', SearchRequest(r"price\|cost")),
        ("grep it's", SearchRequest("it's")),
        ("find . -name '*.py'", SearchRequest("", "", "*.py")),
        ("find shop -type f -name price.py", SearchRequest("", "shop", "price.py")),
        ("find . -name '*.py' -exec grep -l price_of {} +", SearchRequest("price_of", "", "*.py")),
        ("find . -name '*.py' | xargs grep -n price_of", SearchRequest("price_of", "", "*.py")),
        ("ls", SearchRequest("", "", "*")),
        ("ls -la shop/", SearchRequest("", "shop/", "*")),
    ],
)
def test_where_it_is_looked_for_is_kept(line: str, asked: SearchRequest) -> None:
    assert search_in(line, FILES) == asked


@pytest.mark.parametrize(
    "line",
    ["shop/price.py", "shop/find it.py", "grep", "README.md:1-4", "shop/none.py", "price_of", "", "ls -la none/"],
)
def test_a_path_stays_a_path(line: str) -> None:
    assert search_in(line, FILES) is None


def test_a_show_block_holds_paths_and_searches_in_their_order() -> None:
    reply = parse_coder_reply("```show\nsearch: price_of\nshop/price.py:3-9\nrg Cart\n```", AROUND)
    assert reply.shows == (SearchRequest("price_of"), ShowRequest("shop/price.py", 3, 9), SearchRequest("Cart"))


@pytest.mark.parametrize(
    "text",
    [
        "```search\nprice_of\n```",
        "```search price_of\n```",
        "```grep\nprice_of\n```",
        "```bash\ngrep -rn price_of .\n```",
        "```show search: price_of\n```",
        '{"name": "grep", "arguments": {"pattern": "price_of", "path": "."}}',
    ],
)
def test_blocks_and_calls_that_only_search_are_searches(text: str) -> None:
    reply = parse_coder_reply(text, AROUND)
    assert [r.text for r in reply.shows if isinstance(r, SearchRequest)] == ["price_of"]
    assert (reply.files, reply.unused) == ((), ())


def test_a_block_of_commands_that_do_more_is_not_taken_for_a_search() -> None:
    reply = parse_coder_reply("```bash\ngrep -rn price_of .\nrm -r shop\n```", AROUND)
    assert (reply.shows, len(reply.unused)) == ((), 1)


def test_an_edit_that_is_headed_by_the_word_search_is_not_taken_for_a_search() -> None:
    edit = "<<<<<<< SEARCH\nA = 1\n=======\nA = 2\n>>>>>>> REPLACE"
    assert parse_coder_reply(f"```search shop/price.py\n{edit}\n```", AROUND).shows == ()
    assert parse_coder_reply(f"```search\n{edit}\nand so on\n```", AROUND).shows == ()


def test_many_quotes_end_nothing() -> None:
    assert search_in("`" * 390) is not None
    assert search_in("`" * 100_000) is None


@given(st.text(max_size=80))
def test_any_line_can_be_read(line: str) -> None:
    found = search_in(line, FILES)
    assert found is None or found.text or found.glob

"""The pieces of the page that a person can send to a colleague."""

from super_agent.session.html_report.html_elements import diff


def test_a_diffs_head_is_no_change_and_a_line_that_looks_like_it_is_one() -> None:
    page = diff("--- a/x.sql\n+++ b/x.sql\n@@ -1 +1 @@\n--- old <b>\n+new")
    assert page.count('class="hunk"') == 3
    assert '<span class="del">--- old &lt;b&gt;</span>' in page
    assert '<span class="add">+new</span>' in page
    assert diff("-gone").count('class="del"') == 1

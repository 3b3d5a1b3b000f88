"""What a page says once stays until somebody does something, however often it draws itself."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from wgan.ui import binding

    drawn = st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    if drawn == 1:
        binding.notice("This was refused.")
    if text := binding.pop_notice():
        st.warning(text)
    if drawn <= 2:
        binding.draw_again()


def test_a_notice_outlives_what_the_page_draws_by_itself():
    at = AppTest.from_function(page).run()
    assert at.session_state["drawn"] == 3
    assert [warning.value for warning in at.warning] == ["This was refused."]
    at.run()
    assert not at.warning

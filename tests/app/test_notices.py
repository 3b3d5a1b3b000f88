"""What a page says once stays until somebody does something, however often it draws itself."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from wgan.ui import binding

    if not st.session_state.setdefault("begun", False):
        st.session_state["begun"] = True
        binding.notice("This was refused.")
    if text := binding.pop_notice():
        st.warning(text)
    st.button("The page is made of something else now", on_click=binding.keep_notice)
    st.button("A click of somebody")


def test_a_notice_outlives_what_the_page_draws_by_itself():
    at = AppTest.from_function(page).run()
    said = [[warning.value for warning in at.warning]]
    for _ in range(3):
        at.button[0].click().run()
        said.append([warning.value for warning in at.warning])
    assert said == [["This was refused."]] * 4
    at.button[1].click().run()
    assert not at.warning

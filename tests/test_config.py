"""The config: what it accepts, how it refuses, and that it survives JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wgan.config import (
    FIELDS,
    LIVE_FIELDS,
    POINT_DATA,
    SHORTHANDS,
    STRUCTURAL_FIELDS,
    WIDTHS,
    ConfigError,
    ExperimentConfig,
    choices,
    diff,
    from_dict,
    from_json,
    parse_assignment,
    replace_live,
    span,
)

NUMBERS = [name for name, f in FIELDS.items() if "span" in f.metadata]
ENUMERATED = [name for name in FIELDS if choices(name) and name != "faults"]
FLAGS = ["freeze_g", "freeze_d", "shared_latents"]


def number(name: str) -> st.SearchStrategy[Any]:
    low, high = span(name).low, span(name).high
    if isinstance(FIELDS[name].default, int):
        return st.integers(int(low), int(high))
    return st.floats(low, high)


@st.composite
def valid_fields(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of a config that can be run, all of them given."""
    fields = {name: draw(st.sampled_from(choices(name))) for name in ENUMERATED}
    fields |= {name: draw(number(name)) for name in NUMBERS}
    fields |= {name: draw(st.booleans()) for name in FLAGS}
    fields["faults"] = draw(st.lists(st.sampled_from(choices("faults")), unique=True))
    places = st.tuples(st.floats(-3, 3), st.floats(-3, 3))
    fields["points"] = draw(st.lists(places, min_size=1, max_size=5))
    fields["folder"] = draw(st.text("abc ./äß", min_size=1))
    layers = st.lists(st.integers(4, 1024), max_size=12)
    fields |= {name: tuple(draw(layers)) for name in WIDTHS}
    if fields["data"] in POINT_DATA:
        return fields | {"network": "mlp", "output": "linear"}
    fields["fakes"] = "generated"
    if fields["network"] != "mlp":
        fields["image_size"] = draw(st.sampled_from([8, 16, 32, 64, 128]))
        fields["width"] = min(fields["width"], 128)
        fields |= {"widths_g": (), "widths_d": (), "maxout_d": 1}
    return fields


def refusal(make: Any) -> str:
    """The message of the `ConfigError` that `make` must raise: one line, of a readable length."""
    with pytest.raises(ConfigError) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    assert 10 < len(message) < 700
    return message


# What it accepts.


@given(valid_fields())
def test_json_gives_the_same_config_back(fields: dict[str, Any]):
    config = from_dict(fields)
    assert from_json(config.to_json()) == config
    assert from_json(config.to_json().encode()) == config
    assert from_dict(config.to_dict()) == config
    assert hash(from_json(config.to_json())) == hash(config)
    for name in set(FIELDS) - {"points", "faults"}:
        assert getattr(config, name) == fields[name]
    assert set(config.faults) == set(fields["faults"])


@given(valid_fields(), valid_fields())
def test_diff_holds_just_what_differs(a: dict[str, Any], b: dict[str, Any]):
    old, new = from_dict(a), from_dict(b)
    found = diff(old, new)
    assert diff(old, old) == {}
    changes = {name: after for name, (_, after) in found.items()}
    # A new width takes the place of the lists, unless they are given too.
    assert old.replace(changes | {name: getattr(new, name) for name in WIDTHS}) == new
    assert all(before != after for before, after in found.values())
    assert all(getattr(old, name) == getattr(new, name) for name in set(FIELDS) - set(found))


def test_whole_numbers_stay_whole_and_others_become_floats():
    config = from_dict({"width": 64.0, "lr": 1, "gp_weight": 10})
    assert type(config.width) is int
    assert type(config.lr_g) is float
    assert type(config.gp_weight) is float


@pytest.mark.parametrize(("short", "full"), SHORTHANDS.items())
def test_a_shorthand_sets_both_networks(short: str, full: tuple[str, str]):
    value = {"optimizer": "sgd", "lr": 0.5, "norm": "layer"}[short]
    config = from_dict({short: value})
    assert [getattr(config, name) for name in full] == [value, value]


def test_a_full_name_wins_over_its_shorthand_in_either_order():
    for fields in ({"lr": 0.5, "lr_g": 0.25}, {"lr_g": 0.25, "lr": 0.5}):
        config = from_dict(fields)
        assert (config.lr_g, config.lr_d) == (0.25, 0.5)


def test_the_layers_of_each_network_in_lists_or_in_short():
    short = from_dict({"width": 64, "depth": 2})
    assert short.hidden_g == short.hidden_d == (64, 64)
    config = short.replace({"widths_g": [256, 512], "widths_d": [256.0]})
    assert (config.hidden_g, config.hidden_d) == ((256, 512), (256,))
    assert config.to_dict()["widths_g"] == [256, 512]
    # In short again: the last word counts.
    assert config.replace({"depth": 3}).hidden_g == (64, 64, 64)
    assert config.replace({"width": 8, "widths_d": [16]}).hidden_d == (16,)
    assert config.replace({"widths_g": []}).hidden_g == (64, 64)
    # As on the command line, with and without brackets.
    for text in ("256,512", "[256, 512]", " 256 , 512 "):
        assert parse_assignment(f"widths_g={text}") == ("widths_g", [256, 512])
    assert parse_assignment("widths_g=256") == ("widths_g", [256])
    assert parse_assignment("widths_g=") == parse_assignment("widths_g=[]") == ("widths_g", [])


@pytest.mark.parametrize("widths", [[3], [2048], [8] * 13, [8.5], [True], ["8"], 8, "8", None])
def test_layers_that_cannot_be_are_refused(widths: Any):
    message = refusal(lambda: from_dict({"widths_d": widths}))
    assert message.startswith("widths_d is ")
    assert "up to 12 whole numbers from 4 to 1024" in message


@pytest.mark.parametrize("fields", [{"widths_g": [8]}, {"widths_d": [8]}, {"maxout_d": 2}])
def test_convolutions_have_no_such_layers(fields: dict[str, Any]):
    (name,) = fields
    images = {"data": "digits", "network": "dcgan", "width": 8, "output": "tanh"}
    assert name in refusal(lambda: from_dict(images | fields))


def test_a_config_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        ExperimentConfig().width = 3  # pyright: ignore[reportAttributeAccessIssue]


# How it refuses.


@pytest.mark.parametrize("name", ENUMERATED)
def test_an_unknown_choice_is_refused_with_the_known_ones(name: str):
    for value in ("nonsense", 7, None, True, ["wgan"]):
        message = refusal(lambda value=value: from_dict({name: value}))
        assert message.startswith(f"{name} is {value!r}; allowed: ")
        assert all(str(allowed) in message for allowed in choices(name))


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_out_of_range_is_refused_with_the_range(name: str):
    limits = span(name)
    for value in (limits.low - 1, limits.high * 2, math.nan, math.inf, -math.inf, "5", None, True):
        message = refusal(lambda value=value: from_dict({name: value}))
        assert message.startswith(f"{name} is {value!r}; allowed: ")
        assert f"from {limits.low:g} to {limits.high:g}" in message


@pytest.mark.parametrize("name", NUMBERS)
def test_the_ends_of_a_range_are_allowed(name: str):
    for value in (span(name).low, span(name).high):
        assert getattr(from_dict({name: value}), name) == value


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({"width": 12.5}, ["width is 12.5", "a whole number from 4 to 1024"]),
        ({"freeze_g": 1}, ["freeze_g is 1", "true, false"]),
        ({"faults": "raw_log"}, ["faults is 'raw_log'", "a list from alpha_normal"]),
        ({"faults": ["raw_log", "x"]}, ["faults is ['raw_log', 'x']", "range_mismatch"]),
        ({"points": [[0, 4]]}, ["points is [[0, 4]]", "from -3 to 3"]),
        ({"points": [[0, 1, 2]]}, ["points is [[0, 1, 2]]", "2,000 pairs"]),
        ({"points": [[0.0, 0.0]] * 2001}, ["points is", "2,000"]),
        ({"data": "points"}, ["points is []", "at least one"]),
        ({"network": "dcgan"}, ["network is 'dcgan'", "mlp", "ring8"]),
        ({"data": "digits", "fakes": "noisy_real"}, ["fakes is 'noisy_real'", "generated"]),
        ({"output": "tanh"}, ["output is 'tanh'", "linear", "ring8"]),
        (
            {"data": "mnist", "network": "dcgan", "image_size": 28},
            ["image_size is 28", "8, 16, 32"],
        ),
        ({"data": "digits", "network": "resnet", "width": 512}, ["width is 512", "4 to 256"]),
    ],
)
def test_a_refusal_names_the_field_the_value_and_what_is_allowed(
    fields: dict[str, Any], parts: list[str]
):
    message = refusal(lambda: from_dict(fields))
    assert all(part in message for part in parts), message


def test_an_unknown_field_is_refused_with_the_nearest_name():
    assert "Did you mean 'critic_steps'?" in refusal(lambda: from_dict({"critic_step": 5}))
    assert "Did you mean 'optimizer'?" in refusal(lambda: from_dict({"optimiser": "adam"}))
    message = refusal(lambda: from_dict({"zzzz": 5}))
    assert "'zzzz'" in message
    assert all(name in message for name in FIELDS)


# What may change while a run goes on.


def test_every_field_is_either_live_or_structural():
    assert set(LIVE_FIELDS) | set(STRUCTURAL_FIELDS) == set(FIELDS)
    assert not set(LIVE_FIELDS) & set(STRUCTURAL_FIELDS)
    assert {"objective", "constraint", "norm_d", "optimizer_g", "lr_d", "faults"} < set(LIVE_FIELDS)
    assert {"data", "network", "width", "depth", "latent_dim", "seed"} < set(STRUCTURAL_FIELDS)


@given(valid_fields(), valid_fields())
def test_live_fields_change_and_structural_ones_do_not(a: dict[str, Any], b: dict[str, Any]):
    config, other = from_dict(a), from_dict(b)
    changed = replace_live(config, {name: b[name] for name in LIVE_FIELDS})
    assert all(getattr(changed, name) == getattr(other, name) for name in LIVE_FIELDS)
    assert all(getattr(changed, name) == getattr(config, name) for name in STRUCTURAL_FIELDS)


def test_a_structural_change_is_refused_by_name_but_the_same_value_is_none():
    config = ExperimentConfig()
    for changes in ({"width": 64}, {"data": "moons"}, {"lr": 0.5, "seed": 4}):
        message = refusal(lambda changes=changes: replace_live(config, changes))
        assert message.startswith(f"{list(changes)[-1]} cannot change while a run goes on")
        assert "objective" in message
    assert replace_live(config, {"width": config.width, "lr": 0.5}).lr_g == 0.5


# On the command line.


@given(valid_fields())
def test_an_assignment_of_any_value_is_read_back(fields: dict[str, Any]):
    for name, value in from_dict(fields).to_dict().items():
        word = value if isinstance(value, str) else json.dumps(value)
        assert parse_assignment(f"{name}={word}") == (name, value)


def test_faults_may_be_written_with_commas():
    name, value = parse_assignment("faults=raw_log,sign_flipped")
    assert from_dict({name: value}).faults == ("sign_flipped", "raw_log")
    assert parse_assignment("faults=") == ("faults", [])


@pytest.mark.parametrize("text", ["", "lr", "=5", "=", "lr:5", "x" * 5000])
def test_what_is_no_assignment_is_refused(text: str):
    assert "Expected field=value" in refusal(lambda: parse_assignment(text))


def test_values_that_cannot_be_shown_are_refused_all_the_same():
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    for value in (10**5000, -(10**5000), deep):
        for name in FIELDS:
            assert refusal(lambda n=name, v=value: from_dict({n: v})).startswith(f"{name} is ")
    assert "no field" in refusal(lambda: from_dict({10**5000: 1}))


# Whatever comes, only a `ConfigError` leaves.

HUGE = st.builds(
    lambda digits, sign: sign * 10**digits, st.integers(18, 5000), st.sampled_from([-1, 1])
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), HUGE, st.floats(), st.text(), st.binary()
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.none()), inner, max_size=3),
    ),
    max_leaves=8,
)
KNOWN = st.sampled_from([*FIELDS, *SHORTHANDS])
KEYS = st.one_of(KNOWN, KNOWN, st.text(), SCALARS)


def survives(make: Any) -> None:
    """`make` gives a config, or refuses as it should."""
    try:
        result = make()
    except ConfigError:
        refusal(make)
    else:
        assert isinstance(result, ExperimentConfig)


@settings(max_examples=400, deadline=None)
@given(st.one_of(JUNK, st.dictionaries(KEYS, JUNK, max_size=4)))
def test_any_junk_is_refused_as_a_config_error(values: Any):
    survives(lambda: from_dict(values))


@settings(max_examples=400, deadline=None)
@given(valid_fields(), KNOWN, JUNK)
def test_one_junk_value_in_a_valid_config_is_refused(fields: dict[str, Any], name: str, junk: Any):
    survives(lambda: from_dict(fields | {name: junk}))


@settings(max_examples=300, deadline=None)
@given(valid_fields(), st.integers(0, 400), st.integers(0, 400), st.text())
def test_damaged_json_is_refused(fields: dict[str, Any], start: int, cut: int, extra: str):
    text = from_dict(fields).to_json()
    survives(lambda: from_json(text[:start] + extra + text[start + cut :]))
    survives(lambda: from_json((text[:start] + extra).encode("utf-16", "surrogatepass")))
    survives(lambda: from_json(json.dumps({extra: start})))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "3",
        '"wgan"',
        "NaN",
        "{",
        '{"lr": NaN}',
        '{"lr": -Infinity}',
        '{"width": 1e999}',
        '{"seed": ' + "9" * 5000 + "}",
        '{"points": [[NaN, 0]]}',
        "[" * 100_000,
        '{"faults": ' + "[" * 900 + "]" * 900 + "}",
        '{"data": ' + '{"a":' * 900 + "1" + "}" * 901,
        '{"data": "' + "x" * 900_000 + '"}',
        '{"' + "x" * 900_000 + '": 1}',
        '{"a": "' + "x" * 1_000_001 + '"}',
        b"\xff\xfe\x00",
        b"\x80\x81",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_bad_text_is_refused(text: str | bytes):
    refusal(lambda: from_json(text))

"""Converts `Preprocessing` to and from its message in encoder.proto. Needs the `proto` extra."""

from __future__ import annotations

from typing import cast, get_args

from sightline.encoder.v1 import encoder_pb2

from sightline_pictures.padding import Color
from sightline_pictures.preprocessing import Interpolation, Preprocessing, ResizeMode

_MODES = {name: encoder_pb2.ResizeMode.Value(f"RESIZE_MODE_{name.upper()}") for name in get_args(ResizeMode)}
_FILTERS = {name: encoder_pb2.Interpolation.Value(f"INTERPOLATION_{name.upper()}") for name in get_args(Interpolation)}
_MODE_NAMES = {value: name for name, value in _MODES.items()}
_FILTER_NAMES = {value: name for name, value in _FILTERS.items()}


def from_proto(message: encoder_pb2.Preprocessing) -> Preprocessing:
    """Return the preprocessing of a message of ListModels.

    Raises:
        ValueError: A mode or filter is unspecified or unknown, or a size is 0.
    """
    mode, interpolation = _MODE_NAMES.get(message.resize_mode), _FILTER_NAMES.get(message.interpolation)
    if mode is None or interpolation is None:
        raise ValueError("the encoder's preprocessing names a resize mode or interpolation that is not known here")
    return Preprocessing(
        pad_color=_read(message.pad_color) if message.HasField("pad_color") else None,
        resize_mode=cast("ResizeMode", mode),
        resize_size=message.resize_size,
        interpolation=cast("Interpolation", interpolation),
        crop_width=message.crop_width,
        crop_height=message.crop_height,
        fill_color=_read(message.fill_color),
    )


def to_proto(preprocessing: Preprocessing) -> encoder_pb2.Preprocessing:
    """Return the message for ListModels."""
    pad = preprocessing.pad_color
    return encoder_pb2.Preprocessing(
        pad_color=None if pad is None else _write(pad),
        resize_mode=_MODES[preprocessing.resize_mode],
        resize_size=preprocessing.resize_size,
        interpolation=_FILTERS[preprocessing.interpolation],
        crop_width=preprocessing.crop_width,
        crop_height=preprocessing.crop_height,
        fill_color=_write(preprocessing.fill_color),
    )


def _read(color: encoder_pb2.Color) -> Color:
    return color.red, color.green, color.blue


def _write(color: Color) -> encoder_pb2.Color:
    red, green, blue = color
    return encoder_pb2.Color(red=red, green=green, blue=blue)

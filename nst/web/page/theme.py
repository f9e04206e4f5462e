"""The page's colours in light and dark, as a Gradio theme; the rest of the look is in assets/.

Text on its background has a contrast of at least 4.5:1, focus rings and controls of 3:1.
"""

from __future__ import annotations

import gradio as gr

SANS = ("ui-sans-serif", "system-ui", "sans-serif")  # the system's fonts: nothing is fetched
MONO = ("ui-monospace", "monospace")

# role: (light, dark)
PAPER = ("#f7f5f0", "#0f1420")
SURFACE = ("#fffefb", "#181f2f")
LINE = ("#d8d3c7", "#343f57")
EDGE = ("#857f70", "#7583a3")  # of controls
TEXT = ("#1b2233", "#ebe8e0")
QUIET = ("#565d6d", "#a8b0c2")
INK = ("#234179", "#a9c1f5")  # what is chosen, what is to be pressed
INK_HOVER = ("#1a3263", "#c3d4fa")
ON_INK = ("#ffffff", "#0f1420")
CHOSEN = ("#e9eef8", "#223152")


def _both(colour: tuple[str, str], *roles: str) -> dict[str, str]:
    light, dark = colour
    return dict.fromkeys(roles, light) | {f"{role}_dark": dark for role in roles}


def page_theme() -> gr.themes.Base:
    """A calm page: paper and ink by day, night sky by night."""
    return gr.themes.Base(
        font=SANS,
        font_mono=MONO,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
    ).set(
        **_both(PAPER, "body_background_fill"),
        **_both(
            SURFACE,
            "background_fill_primary",
            "background_fill_secondary",
            "block_background_fill",
            "block_title_background_fill",
            "input_background_fill",
            "input_background_fill_focus",
            "checkbox_background_color",
            "button_secondary_background_fill",
            "table_even_background_fill",
            "table_odd_background_fill",
        ),
        **_both(LINE, "border_color_primary", "table_border_color"),
        **_both(
            EDGE, "button_secondary_border_color", "checkbox_border_color", "input_border_color"
        ),
        **_both(
            TEXT,
            "body_text_color",
            "block_title_text_color",
            "block_label_text_color",
            "button_secondary_text_color",
        ),
        **_both(QUIET, "body_text_color_subdued"),
        **_both(
            INK,
            "border_color_accent",
            "button_primary_background_fill",
            "button_primary_border_color",
            "button_secondary_border_color_hover",
            "checkbox_background_color_selected",
            "checkbox_border_color_focus",
            "checkbox_border_color_selected",
            "checkbox_label_border_color_selected",
            "input_border_color_focus",
            "link_text_color",
            "link_text_color_active",
            "link_text_color_hover",
            "link_text_color_visited",
            "loader_color",
        ),
        **_both(INK_HOVER, "button_primary_background_fill_hover"),
        **_both(ON_INK, "button_primary_text_color"),
        **_both(
            CHOSEN,
            "button_secondary_background_fill_hover",
            "checkbox_label_background_fill_selected",
            "color_accent_soft",
        ),
        color_accent=INK[0],
        block_title_text_weight="600",
        block_label_text_weight="600",
        input_border_width="1px",
        layout_gap="20px",
    )

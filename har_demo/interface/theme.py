"""One look for every page: colours, type and spacing; the rest is static/style.css."""

import gradio as gr

# A quiet green-blue for what can be pressed; slate for everything that is read.
ACCENT = gr.themes.Color(
    name="accent",
    c50="#eefaf8",
    c100="#d3f1ec",
    c200="#a9e3da",
    c300="#74cec2",
    c400="#41b1a4",
    c500="#1f9488",
    c600="#0f766e",
    c700="#115e59",
    c800="#134e4a",
    c900="#123f3d",
    c950="#062725",
)

FONT = (
    "Inter",
    "ui-sans-serif",
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Noto Sans",
    "sans-serif",
)
MONO = ("JetBrains Mono", "ui-monospace", "SFMono-Regular", "Menlo", "Noto Sans Mono", "monospace")


FRAME, FRAME_DARK = "#7d8b96", "#66757f"


def theme() -> gr.themes.Base:
    """The project's theme, light and dark; fonts are the reader's own, nothing is fetched."""
    return gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue="slate",
        radius_size="lg",
        font=[gr.themes.Font(name) for name in FONT],
        font_mono=[gr.themes.Font(name) for name in MONO],
    ).set(
        body_background_fill="#f5f7f8",
        body_background_fill_dark="#0c1216",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#131b21",
        background_fill_secondary="#f5f7f8",
        background_fill_secondary_dark="#0c1216",
        block_background_fill="#ffffff",
        block_background_fill_dark="#131b21",
        block_border_color="#dfe5e8",
        block_border_color_dark="#25313a",
        border_color_primary="#dfe5e8",
        border_color_primary_dark="#25313a",
        # Gradio's own greys for small print are too faint to read.
        body_text_color_subdued="#566470",
        body_text_color_subdued_dark="#a4b2bc",
        block_info_text_color="#566470",
        block_info_text_color_dark="#a4b2bc",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_title_text_weight="600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_400",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#04201d",
        # A field's frame stands out from both grounds by 3 to 1, as WCAG asks of what can be filled in.
        input_border_width="1px",
        input_border_color=FRAME,
        input_border_color_dark=FRAME_DARK,
        input_background_fill="#ffffff",
        input_background_fill_dark="#0f161b",
    )

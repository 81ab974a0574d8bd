"""Every command of research: python -m har_demo.research COMMAND ...

Everything heavy is imported inside the commands, so that --help answers at once.
"""

import typer

from har_demo.cli import plainly
from har_demo.research.cli import benchmarks, flow, people, prompts, recognition, space

COMMANDS = (
    *(people.render, people.sheet, people.dataset, people.examples, people.render_frames),
    *(recognition.prepare, recognition.splits, recognition.train, recognition.fuse),
    recognition.sealed_test,
    *(recognition.tabulate, recognition.ablations, recognition.timing, recognition.ship),
    *(recognition.calibration_predict, recognition.calibrate),
    *(
        prompts.prompts_features,
        prompts.prompts_train,
        prompts.prompts_learn,
        prompts.prompts_fewshot,
        prompts.kinetics_features,
        prompts.kinetics_text,
    ),
    *(flow.flow_train, flow.flow_evaluate, flow.flow_sizes),
    *(
        benchmarks.bench,
        benchmarks.bench_job,
        benchmarks.bench_renderer,
        benchmarks.visitors,
        benchmarks.default_models,
        benchmarks.docs,
    ),
    *(space.space, space.cold_start),
)
"""In the order of --help."""

app = typer.Typer(
    help="Render people, prepare data, train, and measure for the tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in COMMANDS:
    app.command()(plainly()(command))

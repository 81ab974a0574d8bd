// Draws the figures inside one gr.HTML; `element`, `trigger` and `watch` are what Gradio gives its scripts.
const charts = (() => {
  const all = () => [...element.querySelectorAll('.plot[data-figure]')];

  // The page's theme: 'var(--ink)' is a token of style.css, 'hue(172)' a family's colour.
  const themed = value => {
    if (Array.isArray(value)) return value.map(themed);
    if (value && typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, themed(one)]));
    if (typeof value !== 'string') return value;
    const token = value.match(/^var\((--[\w-]+)\)$/);
    if (token) return getComputedStyle(document.body).getPropertyValue(token[1]).trim();
    const hue = value.match(/^hue\((\d+)\)$/);
    if (hue) return document.body.classList.contains('dark') ? `hsl(${hue[1]}, 55%, 64%)` : `hsl(${hue[1]}, 60%, 38%)`;
    return value;
  };

  const axis = {gridcolor: 'var(--line)', zerolinecolor: 'var(--line)', linecolor: 'var(--faint)', automargin: true};
  const quiet = (layout, narrow) => {
    const family = getComputedStyle(element).fontFamily;
    const axes = Object.keys(layout).filter(name => /^[xy]axis/.test(name));
    return {
      autosize: true,
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      hovermode: 'closest',
      dragmode: narrow ? false : 'zoom',
      margin: {l: narrow ? 44 : 60, r: 12, t: 12, b: 48},
      ...layout,
      font: {family, size: 12.5, color: 'var(--ink)', ...layout.font},
      hoverlabel: {bgcolor: 'var(--paper)', bordercolor: 'var(--faint)', align: 'left', font: {family, size: 12.5, color: 'var(--ink)'}, ...layout.hoverlabel},
      modebar: {bgcolor: 'rgba(0,0,0,0)', color: 'var(--faint)', activecolor: 'var(--accent)', ...layout.modebar},
      ...Object.fromEntries(['xaxis', 'yaxis', ...axes].map(name => [name, {...axis, ...layout[name]}])),
    };
  };
  const config = {
    displaylogo: false,
    modeBarButtonsToRemove: ['lasso2d', 'select2d', 'autoScale2d'],
    toImageButtonOptions: {format: 'svg'},
  };

  // A finger scrolls the page past the chart, a mouse zooms in it.
  const widths = new WeakMap();
  const react = async plot => {
    widths.set(plot, plot.clientWidth);
    const narrow = plot.clientWidth < 520;
    const {data, layout = {}} = JSON.parse(plot.dataset.figure);
    const bar = {...config, displayModeBar: narrow ? false : 'hover'};
    await Plotly.react(plot, themed(data), themed(quiet(layout, narrow)), bar);
    plot.dispatchEvent(new Event('plot-drawn', {bubbles: true}));
  };

  const tell = name => event => {
    const {curveNumber, pointNumber, customdata} = event.points[0];
    trigger(name, {curve: curveNumber, point: pointNumber, custom: customdata ?? null});
  };

  // Gradio changes nodes where it can, so a chart may already be one of ours with another figure.
  const draw = async () => {
    for (const plot of all()) {
      const fresh = !plot.classList.contains('drawn');
      await react(plot);
      if (!fresh) continue;
      plot.classList.add('drawn');
      plot.on('plotly_click', tell('point_click'));
      plot.on('plotly_hover', tell('point_hover'));
      sizes.observe(plot);
    }
  };

  const sizes = new ResizeObserver(entries => {
    for (const {target} of entries) if (target.isConnected && target.clientWidth && target.clientWidth !== widths.get(target)) react(target);
  });
  let dark = document.body.classList.contains('dark');
  new MutationObserver(() => {
    if (dark === document.body.classList.contains('dark')) return;
    dark = !dark;
    all().forEach(react);
  }).observe(document.body, {attributeFilter: ['class']});

  watch('value', draw);
  draw();
  return {all, draw};
})();

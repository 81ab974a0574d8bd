// Names beside the points of a chart, those of its layout's meta.labels; runs after plots.js, in the same place.
const GAP = 3;

const meet = (a, b) =>
  a.left < b.right + GAP && b.left < a.right + GAP && a.top < b.bottom && b.top < a.bottom;

// Names get the first place around their point where nothing else is, or only whiskers are; who finds none stays
// unnamed. What has no text only takes its place.
const label = plot => {
  const {xaxis, yaxis, meta} = plot._fullLayout;
  plot.querySelector('.labels')?.remove();
  if (!meta?.labels) return;
  const layer = document.createElement('div');
  layer.className = 'labels';
  layer.setAttribute('aria-hidden', 'true');
  plot.querySelector('.hoverlayer').closest('svg').before(layer); // what is pointed at lies above
  const left = xaxis._offset, top = yaxis._offset;
  const room = {left, top, right: left + xaxis._length, bottom: top + yaxis._length};
  const places = meta.labels.map(one => ({...one, cx: left + xaxis.d2p(one.x), cy: top + yaxis.d2p(one.y), r: one.size / 2}));
  const taken = places.map(({cx, cy, r}) => ({left: cx - r, right: cx + r, top: cy - r, bottom: cy + r}));
  const whiskers = places.filter(({whisker}) => whisker > 0).map(({cx, y, whisker}) => {
    const [high, low] = [y + whisker, y - whisker].map(end => top + yaxis.d2p(end));
    return {left: cx, right: cx, top: high, bottom: low};
  });
  for (const {text, cx, cy, r} of places) {
    if (!text || cx < room.left || cx > room.right || cy < room.top || cy > room.bottom) continue;
    const name = document.createElement('span');
    name.textContent = text;
    layer.append(name);
    const {width, height} = name.getBoundingClientRect();
    const beside = [
      [cx - width / 2, cy - r - height],
      [cx - r * 0.7 - GAP - width, cy - r * 0.7 - height],
      [cx - r - GAP - width, cy - height / 2],
      [cx - width / 2, cy + r],
      [cx + r * 0.7 + GAP, cy + r * 0.7],
      [cx + r + GAP, cy - height / 2],
      [cx + r * 0.7 + GAP, cy - r * 0.7 - height],
      [cx - r * 0.7 - GAP - width, cy + r * 0.7],
    ].map(([x, y]) => ({left: x, top: y, right: x + width, bottom: y + height}));
    const inside = box =>
      box.left >= room.left && box.right <= room.right && box.top >= room.top && box.bottom <= room.bottom;
    const without = others => beside.find(box => inside(box) && !others.some(other => meet(box, other)));
    const free = without([...taken, ...whiskers]) ?? without(taken);
    if (!free) {
      name.remove();
      continue;
    }
    taken.push(free);
    name.style.transform = `translate(${free.left}px, ${free.top}px)`;
  }
};

element.addEventListener('plot-drawn', event => {
  const plot = event.target;
  label(plot);
  if (plot.dataset.named) return;
  plot.dataset.named = 'yes';
  plot.on('plotly_relayout', () => label(plot));
});

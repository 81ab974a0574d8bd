// What the page does without asking the server: ticks, seeking, the playhead, links, the theme.
const atlas = (() => {
  const one = selector => document.querySelector(selector);
  const all = selector => [...document.querySelectorAll(selector)];
  const boxes = () => all('#models input[name=model]');
  const clip = () => one('#clip video');

  const chosen = () => boxes().filter(box => box.checked).map(box => box.value);

  // The clip, models and settings behind the answers on the page.
  const asked = () => JSON.parse(one('.results')?.dataset.asked || '{}');

  const seek = seconds => {
    const video = clip();
    if (video) { video.currentTime = seconds; movePlayhead(); }
  };

  const movePlayhead = () => {
    const video = clip(), results = one('.results');
    if (!video || !results) return;
    const share = Math.min(1, video.currentTime / Number(results.dataset.duration));
    results.style.setProperty('--now', share);
  };

  const labelRun = () => {
    const count = chosen().length, button = one('#run');
    if (!button) return;
    button.textContent = count === 0 ? 'Recognise' : `Recognise with ${count} model${count === 1 ? '' : 's'}`;
  };

  const started = () => {
    if (matchMedia('(max-width: 900px)').matches)
      one('#answer')?.scrollIntoView({behavior: 'smooth', block: 'start'});
  };

  const linkParameters = () => new URLSearchParams(location.search);

  // Called when the server has put a link's clip back; the ticks live here in the page.
  const restored = () => {
    const wanted = linkParameters().get('models')?.split(',');
    if (wanted) boxes().forEach(box => { box.checked = wanted.includes(box.value) && !box.disabled; });
    labelRun();
    if (wanted && one('.clip-facts')) one('#run').click();
  };

  const copyLink = async () => {
    const parameters = new URLSearchParams(asked());
    if (parameters.has('example')) parameters.delete('clip');
    const link = `${location.origin}${location.pathname}?${parameters}`;
    const button = one('#share'), before = button.textContent;
    try { await navigator.clipboard.writeText(link); button.textContent = 'Link copied'; }
    catch { prompt('Copy this link', link); }
    setTimeout(() => { button.textContent = before; }, 2000);
  };

  const toggleTheme = () => {
    const dark = !document.body.classList.contains('dark');
    document.body.classList.toggle('dark', dark);
    try { localStorage.setItem('atlas-theme', dark ? 'dark' : 'light'); } catch { /* private window */ }
  };

  const keepTheme = () => {
    let kept = null;
    try { kept = localStorage.getItem('atlas-theme'); } catch { /* private window */ }
    if (kept && !linkParameters().has('__theme')) document.body.classList.toggle('dark', kept === 'dark');
  };

  document.addEventListener('change', event => {
    if (event.target.matches('#models input[name=model]')) labelRun();
    // One choice of view for all cards, so that they can be compared.
    if (event.target.matches('[data-view]')) {
      const view = event.target.dataset.view;
      all(`[data-view="${view}"]`).forEach(radio => { radio.checked = true; });
    }
  });
  document.addEventListener('click', event => {
    if (event.target.closest('[data-toggle-theme]')) toggleTheme();
  });
  // Example clips play while pointed at or focused.
  for (const [on, off] of [['mouseover', 'mouseout'], ['focusin', 'focusout']]) {
    document.addEventListener(on, event => event.target.closest?.('.example')?.querySelector('video').play().catch(() => {}));
    document.addEventListener(off, event => event.target.closest?.('.example')?.querySelector('video').pause());
  }
  // 'timeupdate' comes four times a second; while playing, follow every frame.
  document.addEventListener('timeupdate', movePlayhead, true);
  document.addEventListener('play', function follow() {
    movePlayhead();
    if (clip() && !clip().paused) requestAnimationFrame(follow);
  }, true);
  // A file over the limit is refused before it travels.
  const refuseTooBig = (event, files) => {
    if (!event.target.closest?.('#clip')) return;
    const place = one('#too-big'), limit = Number(place.dataset.megabytes);
    const big = [...(files || [])].find(file => file.size > limit * 1e6);
    place.hidden = !big;
    if (!big) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    place.textContent = `${big.name} has ${Math.ceil(big.size / 1e6)} MB and the limit is ${limit} MB: cut it shorter or save it smaller.`;
    if (event.target.value) event.target.value = '';
  };
  document.addEventListener('change', event => refuseTooBig(event, event.target.files), true);
  document.addEventListener('drop', event => refuseTooBig(event, event.dataTransfer?.files), true);
  // Not every browser plays every upload; a moment later the copy that all can play takes its place.
  document.addEventListener('error', event => { if (event.target.closest?.('#clip')) event.stopImmediatePropagation(); }, true);
  document.addEventListener('DOMContentLoaded', keepTheme);

  return {chosen, asked, seek, started, restored, copyLink};
})();
window.atlas = atlas;

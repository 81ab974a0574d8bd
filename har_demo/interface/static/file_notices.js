// One notice about a file at a time: the latest. Files are refused in the page (#too-big) or by the server (#clip-notice).
(() => {
  const one = selector => document.querySelector(selector);

  // An empty file would be taken in, and the player would ask for parts of it that are not there.
  const refuseEmpty = (event, files) => {
    const empty = event.target.closest?.('#clip') && [...(files || [])].find(file => !file.size);
    if (!empty) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    one('#too-big').textContent = `${empty.name} is empty: choose the file again, or another one.`;
    one('#too-big').hidden = false;
    if (event.target.value) event.target.value = '';
  };
  document.addEventListener('change', event => refuseEmpty(event, event.target.files), true);
  document.addEventListener('drop', event => refuseEmpty(event, event.dataTransfer?.files), true);

  const follow = (here, there) => {
    new MutationObserver(() => {
      if (here.hidden) return;
      there.querySelectorAll('.notice').forEach(notice => {
        notice.hidden = true;
      });
    }).observe(here, {attributeFilter: ['hidden'], childList: true});
    for (const place of [there, one('#facts')])
      new MutationObserver(changes => {
        if (changes.some(change => change.addedNodes.length)) here.hidden = true;
      }).observe(place, {childList: true, subtree: true});
  };
  const found = new MutationObserver(() => {
    const places = [one('#too-big'), one('#clip-notice')];
    if (!places.every(Boolean) || !one('#facts')) return;
    found.disconnect();
    follow(...places);
  });
  found.observe(document, {childList: true, subtree: true});
})();

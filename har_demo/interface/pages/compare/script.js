// The Compare page's table: its heads and names, the link of what is shown, files to keep.
window.atlasCompare = (() => {
  const keep = query => {
    const kept = new URLSearchParams(query);
    const theme = new URLSearchParams(location.search).get('__theme');
    if (theme) kept.set('__theme', theme);
    history.replaceState(history.state, '', `${location.pathname}${kept.size ? '?' + kept : ''}`);
  };

  const copyLink = async () => {
    const button = document.querySelector('#share');
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = 'Link copied';
    } catch {
      prompt('Copy this link', location.href);
    }
    setTimeout(() => {
      button.textContent = 'Copy link';
    }, 2000);
  };

  const save = ({name, type, text}) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], {type}));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  return {keep, copyLink, save};
})();
// Heads sort, names open; the address always says what is shown, so that it can be kept.
element.addEventListener('click', event => {
  const head = event.target.closest('[data-sort]');
  const name = event.target.closest('[data-open]');
  if (head) trigger('sort_by', {column: head.dataset.sort});
  if (name) trigger('open_row', {row: name.dataset.open});
});
watch('value', () => atlasCompare.keep(element.querySelector('[data-query]').dataset.query));

// What the page does without asking the server: ticks, seeking, the playhead, links, the theme.
const atlas = (() => {
  const one = selector => document.querySelector(selector);
  const all = selector => [...document.querySelectorAll(selector)];
  const boxes = () => all('#models input[name=model]');
  const clip = () => one('#clip video');

  const chosen = () =>
    boxes()
      .filter(box => box.checked)
      .map(box => box.value);

  // The clip, models and settings behind the answers on the page.
  const asked = () => JSON.parse(one('.results')?.dataset.asked || '{}');

  // Another clip may be shown by now: then the answers say whose they are, and nothing seeks.
  const same = () => asked().shown === one('.clip-facts')?.dataset.clip;
  const compare = () =>
    requestAnimationFrame(() => {
      one('.results')?.classList.toggle('elsewhere', !same());
      movePlayhead();
      // A screen reader hears what changes in a place that stays; the panel itself is replaced.
      one('#said').textContent = one('.verdict')?.innerText || '';
    });

  const seek = seconds => {
    const video = clip();
    if (video && same()) {
      video.currentTime = seconds;
      movePlayhead();
    }
  };

  const movePlayhead = () => {
    const video = clip(),
      results = one('.results');
    if (!video || !results) return;
    const share = Math.min(1, video.currentTime / Number(results.dataset.duration));
    results.style.setProperty('--now', share);
  };

  const labelRun = () => {
    const count = chosen().length,
      button = one('#run');
    if (!button || !boxes().length) return; // another page's button has a name of its own
    const verb = one('[data-verb]')?.dataset.verb || 'Recognise';
    button.textContent = count === 0 ? verb : `${verb} with ${count} model${count === 1 ? '' : 's'}`;
  };

  const tick = name => {
    const box = boxes().find(box => box.value === name);
    if (box) {
      box.disabled = false;
      box.checked = true;
      box.closest('.picker-part').open = true;
      labelRun();
    }
  };

  // Every word typed must stand somewhere in a model's specification.
  const find = typed => {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const part of all('.picker-part')) {
      let here = 0;
      for (const pick of part.querySelectorAll('.pick')) {
        pick.hidden = !words.every(word => pick.dataset.foundBy.includes(word));
        here += !pick.hidden;
      }
      part.hidden = here === 0;
      part.open = words.length > 0 || part.hasAttribute('data-open') || !!part.querySelector('input:checked');
      part.querySelector('summary b').textContent = here;
      found += here;
    }
    one('.picker-none').hidden = found > 0;
  };

  const busy = running => {
    document.body.classList.toggle('running', running);
    one('#run').disabled = running;
  };
  // Once Stop is pressed the work is over when the page has been told so, not when it is cancelled.
  let halting = false;
  const ended = () => halting || busy(false);
  const stopping = () => {
    halting = true;
  };
  const stopped = () => {
    halting = false;
    ended();
  };
  const started = () => {
    busy(true);
    // On a phone the answers come below, and on a desk the page may be scrolled past them.
    if (matchMedia('(max-width: 900px)').matches || one('#answer').getBoundingClientRect().top < 0)
      one('#answer').scrollIntoView({behavior: 'smooth', block: 'start'});
  };

  // What has just come may be below what the reader sees.
  const show = selector => one(selector).scrollIntoView({behavior: 'smooth', block: 'nearest'});

  // A file that was made on request is saved once its address is in the page.
  const fetchFile = selector =>
    setTimeout(() => {
      const place = one(selector);
      (place.matches('a, button') ? place : place.querySelector('a, button')).click();
    }, 100);

  const linkParameters = () => new URLSearchParams(location.search);

  // Called when the server has put a link's clip back; the ticks live here in the page.
  const restored = () => {
    const wanted = linkParameters().get('models')?.split(',').filter(Boolean);
    const known = boxes().some(box => wanted?.includes(box.value) && !box.disabled);
    if (known)
      boxes().forEach(box => {
        box.checked = wanted.includes(box.value) && !box.disabled;
        if (box.checked) box.closest('.picker-part').open = true;
      });
    labelRun();
    const asked = linkParameters().has('prompts') || linkParameters().has('classes');
    if ((known || asked) && one('.clip-facts')) one('#run').click();
  };

  const copyLink = async () => {
    const parameters = new URLSearchParams(asked());
    if (parameters.has('example')) parameters.delete('clip');
    const told = parameters.has('own') ? 'Link copied, without your weights' : 'Link copied';
    for (const name of ['own', 'shown']) parameters.delete(name);
    const link = `${location.origin}${location.pathname}?${parameters}`;
    const button = one('#share');
    try {
      await navigator.clipboard.writeText(link);
      button.textContent = told;
    } catch {
      prompt('Copy this link', link);
    }
    setTimeout(() => {
      button.textContent = 'Copy link';
    }, 2000);
  };

  const toggleTheme = () => {
    const dark = !document.body.classList.contains('dark');
    document.body.classList.toggle('dark', dark);
    try {
      localStorage.setItem('atlas-theme', dark ? 'dark' : 'light');
    } catch {
      /* private window */
    }
  };

  const keepTheme = () => {
    let kept = null;
    try {
      kept = localStorage.getItem('atlas-theme');
    } catch {
      /* private window */
    }
    if (kept && !linkParameters().has('__theme')) document.body.classList.toggle('dark', kept === 'dark');
  };

  document.addEventListener('change', event => {
    if (event.target.matches('#models input[name=model]')) labelRun();
    // One choice of view for all cards, so that they can be compared.
    if (event.target.matches('[data-view]')) {
      const view = event.target.dataset.view;
      all(`[data-view="${view}"]`).forEach(radio => {
        radio.checked = true;
      });
    }
  });
  document.addEventListener('input', event => {
    if (event.target.matches('[data-find-model]')) find(event.target.value);
  });
  document.addEventListener('click', event => {
    if (event.target.closest('[data-toggle-theme]')) toggleTheme();
  });
  // A lane of the timeline is one stop of the Tab key; arrows move within it.
  document.addEventListener('keydown', event => {
    const cell = event.target.closest?.('.lane-track button');
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!cell || !step) return;
    event.preventDefault();
    const next = step > 0 ? cell.nextElementSibling : cell.previousElementSibling;
    if (!next) return;
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  // Example clips play while pointed at or focused.
  for (const [on, off] of [
    ['mouseover', 'mouseout'],
    ['focusin', 'focusout'],
  ]) {
    document.addEventListener(on, event =>
      event.target
        .closest?.('.example')
        ?.querySelector('video')
        .play()
        .catch(() => {}),
    );
    document.addEventListener(off, event =>
      event.target.closest?.('.example')?.querySelector('video').pause(),
    );
  }
  // 'timeupdate' comes four times a second; while playing, follow every frame.
  document.addEventListener('timeupdate', movePlayhead, true);
  document.addEventListener(
    'play',
    function follow() {
      movePlayhead();
      if (clip() && !clip().paused) requestAnimationFrame(follow);
    },
    true,
  );
  // A file over the limit is refused before it travels.
  const refuseTooBig = (event, files) => {
    if (!event.target.closest?.('#clip')) return;
    const place = one('#too-big'),
      limit = Number(place.dataset.megabytes);
    const big = [...(files || [])].find(file => file.size > limit * 1e6);
    place.hidden = !big;
    if (!big) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    place.textContent = `${big.name} has ${Math.ceil(big.size / 1e6)} MB and the limit is ${limit} MB: cut it shorter or save it smaller.`;
    if (event.target.value) event.target.value = '';
  };
  // What the server refuses, for want of room for one, it says in a sentence, which stands in the same place.
  const send = window.fetch;
  window.fetch = async (...request) => {
    const answer = await send(...request);
    const place = one('#too-big');
    if (!answer.ok && place && /\/upload\b/.test(request[0]?.url ?? request[0])) {
      place.textContent = await answer.clone().text();
      place.hidden = false;
    }
    return answer;
  };
  document.addEventListener('change', event => refuseTooBig(event, event.target.files), true);
  document.addEventListener('drop', event => refuseTooBig(event, event.dataTransfer?.files), true);
  // Not every browser plays every upload; a moment later the copy that all can play takes its place.
  document.addEventListener(
    'error',
    event => {
      if (event.target.closest?.('#clip')) event.stopImmediatePropagation();
    },
    true,
  );
  document.addEventListener('DOMContentLoaded', keepTheme);

  return {chosen, asked, seek, show, tick, labelRun, compare, started, ended, stopping, stopped, restored, copyLink, fetchFile};
})();
window.atlas = atlas;

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

  // The clip behind the answers on the page, and what else the page needs to know of them.
  const asked = () => JSON.parse(one('.results')?.dataset.asked || '{}');

  // Another clip may be shown by now: then the answers say whose they are, and nothing seeks.
  const same = () => asked().shown === one('.clip-facts')?.dataset.clip;
  const compare = () =>
    requestAnimationFrame(() => {
      nameClips();
      follow();
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
    keep();
    expected = true;
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

  // The session: the page's own address, and what the tab remembers. har_demo/interface/address.py says why.
  const linkParameters = () => new URLSearchParams(location.search);
  const CLIP = ['clip', 'example'];
  const QUESTION = ['models', 'prompts', 'classes', 'method', 'model', 'start', 'second'];
  const NO_SETTING = ['ask', '__theme', 'view'];
  const MOST_LETTERS = 3000;

  const only = (parameters, takes) => new URLSearchParams([...parameters].filter(takes));
  const clipOf = parameters => only(parameters, ([name, value]) => CLIP.includes(name) && value).toString();
  const linkOf = place => new URLSearchParams(JSON.parse(place?.dataset.link || '{}'));
  const clipHere = () => linkOf(one('.clip-facts')).toString();
  const putClip = (parameters, link) => {
    CLIP.forEach(name => parameters.delete(name));
    new URLSearchParams(link).forEach((value, name) => parameters.set(name, value));
  };
  const asksOf = parameters => QUESTION.some(name => parameters.get(name));
  const settings = parameters => {
    const all = only(parameters, ([name]) => !NO_SETTING.includes(name));
    all.sort();
    return all.toString();
  };

  const KEPT = 'atlas-session';
  const kept = () => {
    try {
      return {pages: {}, names: {}, clip: '', ...JSON.parse(sessionStorage.getItem(KEPT))};
    } catch {
      return {pages: {}, names: {}, clip: ''};
    }
  };
  const remember = session => {
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(session));
    } catch {
      /* no storage here: the addresses do without */
    }
  };

  // The bar leads to the same clip, and back to what was typed and chosen there.
  const towards = (address, clip) => {
    const parameters = new URLSearchParams(address);
    if (clipOf(parameters) === clip) return parameters;
    putClip(parameters, clip);
    for (const name of ['start', 'second', 'ask']) parameters.delete(name); // moments of another clip
    if (asksOf(parameters)) parameters.set('ask', '0');
    return parameters;
  };
  const lead = () => {
    const links = all('.nav-holder nav a');
    if (!links.length) return;
    const path = place => place.pathname.replace(/\/$/, '');
    const home = path(links[0]);
    const pages = one('[data-about-clips]').dataset.aboutClips.split(' ');
    const aboutClips = [home, ...pages.map(name => `${home}/${name}`)];
    const session = kept();
    if (aboutClips.includes(path(location))) {
      session.clip = opened ? clipHere() : clipOf(linkParameters());
      session.pages[path(location)] = only(linkParameters(), ([name]) => !['__theme', 'view'].includes(name)).toString();
      remember(session);
    }
    for (const link of links)
      if (aboutClips.includes(path(link))) link.search = towards(session.pages[path(link)], session.clip);
  };

  const write = parameters => {
    parameters.delete('ask');
    // No address has a visitor's own weights: others would answer it otherwise.
    const answered = settings(parameters) === settings(linkOf(one('.results'))) && !asked().own;
    if (asksOf(parameters) && !answered) parameters.set('ask', '0');
    const query = parameters.toString();
    history.replaceState(history.state, '', location.pathname + (query && `?${query}`));
    lead();
  };

  // What is typed and set goes into the address a moment later: browsers bound how often it changes.
  const drafts = new Map();
  let later;
  const draft = (name, value) => {
    drafts.set(name, typeof value === 'boolean' ? Number(value) : value);
    expected = false;
    clearTimeout(later);
    later = setTimeout(keep, 250);
  };
  const keep = () => {
    clearTimeout(later);
    if (!drafts.size) return;
    const parameters = linkParameters();
    for (const [name, value] of drafts) {
      const text = String(value ?? '');
      if (name === 'prompts') parameters.delete('classes');
      if (name === 'classes') parameters.delete('prompts');
      if (text && encodeURIComponent(text).length <= MOST_LETTERS) parameters.set(name, text);
      else parameters.delete(name);
    }
    drafts.clear();
    write(parameters);
  };

  // The address follows the clip that came or went, and the answers that were asked for.
  let opened = false; // what the address names has been restored
  let expected = false; // a press on Run has no answer yet
  const follow = () => {
    if (!opened) return;
    const parameters = linkParameters(),
      results = one('.results');
    if (expected && results && same()) {
      expected = false;
      const stay = only(parameters, ([name]) => ['__theme', 'view'].includes(name));
      write(new URLSearchParams([...linkOf(results), ...stay]));
    } else if (clipOf(parameters) !== clipHere()) {
      putClip(parameters, clipHere());
      write(parameters);
    } else if (parameters.has('ask')) write(parameters);
  };

  // The server keeps no names of files; the tab that a clip came in has its name.
  const nameClips = () => {
    const session = kept();
    for (const place of all('[data-clip-name]')) {
      const hash = place.dataset.clipName;
      if (place.textContent !== `clip-${hash.slice(0, 8)}`) session.names[hash] = place.textContent;
      else if (session.names[hash]) place.textContent = session.names[hash];
    }
    for (const answers of all('.results')) {
      const texts = document.createTreeWalker(answers, NodeFilter.SHOW_TEXT);
      while (texts.nextNode())
        for (const [hash, name] of Object.entries(session.names)) {
          const unnamed = `clip-${hash.slice(0, 8)}`;
          if (texts.currentNode.data.includes(unnamed))
            texts.currentNode.data = texts.currentNode.data.replaceAll(unnamed, name);
        }
    }
    remember(session);
  };

  // Called when the server has put a link's clip back; the ticks live here in the page.
  const restored = () => {
    const parameters = linkParameters();
    const wanted = parameters.get('models')?.split(',').filter(Boolean);
    const known = boxes().some(box => wanted?.includes(box.value) && !box.disabled);
    if (known)
      boxes().forEach(box => {
        box.checked = wanted.includes(box.value) && !box.disabled;
        if (box.checked) box.closest('.picker-part').open = true;
      });
    if (parameters.get('edits')) atlas.tickEdits?.(parameters.get('edits').split(','));
    labelRun();
    nameClips();
    opened = true;
    const asks = only(parameters, ([name]) => name !== 'models' || known);
    if (!clipHere()) return lead();
    if (asksOf(asks) && parameters.get('ask') !== '0') one('#run').click();
    else follow();
  };

  const copyLink = async () => {
    const told = asked().own ? 'Link copied, without your weights' : 'Link copied';
    const link = `${location.origin}${location.pathname}?${linkOf(one('.results'))}`;
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
    if (event.target.matches('#models input[name=model]')) {
      labelRun();
      draft('models', chosen());
    }
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
    // Gradio's own event of text fields is for keys alone, and text is pasted as well.
    if (event.target.matches('#prompts textarea')) draft('prompts', event.target.value);
    if (event.target.matches('#templates textarea')) draft('templates', event.target.value);
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
  for (const event of ['mouseover', 'focusin', 'click', 'contextmenu'])
    document.addEventListener(
      event,
      ({target}) => {
        if (!target.closest?.('.nav-holder')) return;
        keep();
        lead();
      },
      true,
    );

  return {chosen, asked, seek, show, tick, labelRun, compare, started, ended, stopping, stopped, restored, copyLink, draft, lead, fetchFile};
})();
window.atlas = atlas;

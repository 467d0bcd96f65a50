// The fixed text of the page: its style and its script.
//
// Invariant: constants; nothing is fetched, which the page's own content policy enforces. Colours are those of Okabe
// and Ito, darkened or lightened for contrast, and never the only sign: every curve has a dash, every span a height.

package enum HTMLStyle {
  package static let css = """
    :root { color-scheme: light dark; --paper: #fcfcfa; --ink: #1b1d20; --soft: #595f67; --line: #d9dbd7;
      --band: #f0f1ed; --alarm: #b3261e; --alarm-paper: #fdecea; --run: #0072b2; --raise: #00855f; --wait: #d55e00;
      --c-oneCPU: #5d6269; --c-bigLock: #c65500; --c-ordered: #0072b2; --c-disjoint: #8a8f96; --c-mpSafe: #00855f;
      --c-threads: #b04f86; --c-mixed: #a87400; }
    @media (prefers-color-scheme: dark) {
      :root { --paper: #15171a; --ink: #e8e9ea; --soft: #a3a9b1; --line: #3a3e44; --band: #1e2125; --alarm: #ff8a80;
        --alarm-paper: #3a1a18; --run: #56b4e9; --raise: #35c99b; --wait: #ff8f4f; --c-oneCPU: #b4b9c0;
        --c-bigLock: #ff8f4f; --c-ordered: #56b4e9; --c-disjoint: #8a8f96; --c-mpSafe: #35c99b; --c-threads: #e79ac8;
        --c-mixed: #efc14a; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 1120px; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
    h1 { font-size: clamp(1.6rem, 1.1rem + 2.2vw, 2.5rem); line-height: 1.15; margin: .2rem 0 .8rem;
      text-wrap: balance; }
    h2 { font-size: 1.3rem; margin: 3rem 0 .4rem; }
    h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
    p { margin: .5rem 0; max-width: 46rem; }
    .kicker, .hint, figcaption, caption { color: var(--soft); font-size: .9rem; }
    .kicker { overflow-wrap: anywhere; max-width: none; }
    .lead p { font-size: 1.06rem; }
    .alarm { border-left: 4px solid var(--alarm); background: var(--alarm-paper); padding: .6rem .9rem;
      margin: .8rem 0; max-width: 46rem; }
    figure { margin: 1rem 0 .8rem; min-width: 0; }
    figcaption { margin-bottom: .4rem; }
    figcaption b { color: var(--ink); }
    .panels { display: grid; gap: .5rem 2.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
    svg { display: block; overflow: visible; }
    svg text { fill: var(--ink); font: 13px system-ui, sans-serif; paint-order: stroke; stroke: var(--paper);
      stroke-width: 3px; stroke-linejoin: round; }
    svg .quiet { fill: var(--soft); font-size: 12px; }
    .grid { stroke: var(--line); stroke-width: 1; }
    .mark { stroke: var(--ink); stroke-width: 1.5; }
    .band { fill: var(--band); }
    .bar { fill: var(--c); opacity: .85; }
    .whisker { stroke: var(--ink); stroke-width: 2; }
    .curve { fill: none; stroke: var(--c); stroke-width: 2.25; vector-effect: non-scaling-stroke;
      stroke-linejoin: round; }
    .dot { fill: var(--c); stroke: var(--paper); stroke-width: 1.5; }
    .hit { fill: transparent; }
    [data-focus] .curve, [data-focus] .dot { opacity: .14; }
    [data-focus] .on .curve, [data-focus] .on .dot { opacity: 1; }
    .run { fill: var(--run); } .raise { fill: var(--raise); } .wait { fill: var(--wait); }
    .oneCPU { --c: var(--c-oneCPU); } .bigLock { --c: var(--c-bigLock); } .ordered { --c: var(--c-ordered); }
    .disjoint { --c: var(--c-disjoint); } .mpSafe { --c: var(--c-mpSafe); } .threads { --c: var(--c-threads); }
    .mixed { --c: var(--c-mixed); }
    .latency { padding-left: 3.6rem; padding-right: .8rem; }
    .timeline { padding-left: 6.4rem; padding-right: .4rem; }
    .legend { display: flex; flex-wrap: wrap; gap: .2rem .5rem; margin: .6rem 0; padding: 0; list-style: none; }
    .legend button, .legend span { display: flex; gap: .45rem; align-items: center; font: inherit; font-size: .92rem;
      color: inherit; background: none; border: 1px solid transparent; border-radius: 6px; padding: .2rem .5rem; }
    .legend button { cursor: pointer; }
    .legend button:hover, .legend button:focus-visible, .legend button[aria-pressed=true] {
      border-color: var(--line); background: var(--band); }
    .scroll { overflow-x: auto; margin: 1rem 0; }
    table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; min-width: 100%; }
    caption { text-align: left; padding-bottom: .3rem; }
    th, td { text-align: right; padding: .3rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap;
      font-weight: 400; vertical-align: top; }
    thead th { color: var(--soft); font-size: .84rem; vertical-align: bottom; }
    .t, caption { text-align: left; }
    th:first-child { padding-left: 0; }
    td > svg { margin-top: .35rem; }
    .wide { white-space: normal; min-width: 18rem; }
    small { color: var(--soft); font-size: .84em; }
    .bad { color: var(--alarm); font-weight: 600; }
    dl { margin: .6rem 0; display: grid; gap: .1rem 2rem;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
    dl div { display: flex; gap: .8rem; padding: .25rem 0; border-bottom: 1px solid var(--line); }
    dt { color: var(--soft); flex: 0 0 8.5rem; } dd { margin: 0; overflow-wrap: anywhere; }
    code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
    #tip { position: fixed; z-index: 1; pointer-events: none; background: var(--ink); color: var(--paper);
      font-size: .85rem; padding: .25rem .55rem; border-radius: 5px; max-width: 18rem; }
    @media (max-width: 480px) { .timeline { padding-left: 5.6rem; }
      th, td { padding: .3rem .5rem; } svg text, svg .quiet { font-size: 11.5px; } dt { flex-basis: 7rem; } }
    @media print { body { background: none; } .scroll { overflow: visible; } }
    """

  static let script = """
    (() => {
      const tip = document.getElementById('tip');
      const show = (text, event) => {
        tip.textContent = text;
        tip.hidden = false;
        const room = innerWidth - tip.offsetWidth - 8;
        tip.style.left = Math.max(8, Math.min(room, event.clientX + 14)) + 'px';
        tip.style.top = Math.max(8, event.clientY - 36) + 'px';
      };
      document.addEventListener('mousemove', event => {
        const mark = event.target.closest('[data-tip]');
        if (mark) return show(mark.dataset.tip, event);
        const line = event.target.closest('[data-rows]');
        if (!line) { tip.hidden = true; return; }
        const box = line.getBoundingClientRect();
        const rows = line.dataset.rows.split('|');
        const row = Math.floor((event.clientY - box.top) / box.height * rows.length);
        const time = (event.clientX - box.left) / box.width * line.dataset.span / 1e6;
        if (row < 0 || row >= rows.length || time < 0) { tip.hidden = true; return; }
        show(rows[row] + ' · ' + time.toFixed(3) + ' ms', event);
      });
      const panels = document.getElementById('panels');
      const buttons = document.querySelectorAll('.legend button');
      let kept = '';
      const focus = name => {
        if (!panels) return;
        if (name) panels.dataset.focus = name; else delete panels.dataset.focus;
        panels.querySelectorAll('g.series').forEach(g => g.classList.toggle('on', g.dataset.name === name));
      };
      buttons.forEach(button => {
        const name = button.dataset.name;
        button.addEventListener('mouseenter', () => focus(name));
        button.addEventListener('mouseleave', () => focus(kept));
        button.addEventListener('click', () => {
          kept = kept === name ? '' : name;
          buttons.forEach(b => b.setAttribute('aria-pressed', b.dataset.name === kept));
          focus(kept);
        });
      });
    })();
    """
}

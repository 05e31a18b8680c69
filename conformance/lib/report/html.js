'use strict';

// One page that needs nothing else: the report as data, and a script that shows it.

const STYLE = `
:root { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 1200px; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid #8884; vertical-align: top; }
thead th { position: sticky; top: 0; background: Canvas; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
.OK { color: #1a7f37; } .INFORMATIONAL { color: #0969da; } .UNIMPLEMENTED { color: #808080; }
.NON-STRICT { color: #bf8700; } .FAILED { color: #cf222e; font-weight: 600; }
td.v { cursor: pointer; white-space: nowrap; }
pre { margin: .25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; }
form { display: flex; gap: 1rem; flex-wrap: wrap; align-items: center; }
@media (prefers-color-scheme: dark) { .OK { color: #3fb950; } .INFORMATIONAL { color: #58a6ff; } .NON-STRICT { color: #d29922; } .FAILED { color: #f85149; } }
`;

/** Runs in the browser. */
function show(report) {
  const VERDICTS = ['OK', 'INFORMATIONAL', 'UNIMPLEMENTED', 'NON-STRICT', 'FAILED'];
  const element = (name, attributes, ...children) => {
    const node = Object.assign(document.createElement(name), attributes);
    node.append(...children);
    return node;
  };
  const row = (cells, tag) => element('tr', {}, ...cells.map((cell) => (cell instanceof Node ? cell : element(tag || 'td', {}, String(cell)))));
  const byId = report.runs.map((run) => new Map(run.results.map((result) => [result.id, result])));

  const summary = element('table', {}, element('thead', {}, row(['', ...VERDICTS, ''], 'th')), element('tbody', {},
    ...report.runs.map((run) => row([
      run.name,
      ...VERDICTS.map((verdict) => element('td', { className: `n ${verdict}` }, String(run.results.filter((one) => one.verdict === verdict).length))),
      run.problem || '',
    ]))));

  const main = element('table', {});
  const filter = element('select', {}, ...['everything', ...VERDICTS, 'not OK'].map((name) => element('option', {}, name)));
  const search = element('input', { type: 'search', placeholder: 'id or words' });
  filter.value = 'not OK';

  const detail = (run, result) => element('pre', {}, [
    `${run.name}: ${result.verdict}${result.why ? `, ${result.why}` : ''} (${result.ms} ms)`,
    ...(result.known ? [`known: ${result.known}`] : []),
    ...(result.seen || []).map((line) => `seen: ${line}`),
    ...(result.log || []),
  ].join('\n'));

  const draw = () => {
    const wanted = (result) => filter.value === 'everything' || (filter.value === 'not OK' ? result.verdict !== 'OK' : result.verdict === filter.value);
    const words = search.value.toLowerCase();
    const body = element('tbody', {});
    let family = null;
    for (const one of report.cases) {
      const results = byId.map((results) => results.get(one.id));
      if (!results.some((result) => result && wanted(result))) continue;
      if (words && !`${one.id} ${one.title} ${one.section}`.toLowerCase().includes(words)) continue;
      const [number] = one.id.split('.');
      if (number !== family) {
        family = number;
        body.append(element('tr', {}, element('th', { colSpan: 3 + report.runs.length }, `${number}.* ${report.families[number]}`)));
      }
      const cells = results.map((result, i) => {
        const cell = element('td', { className: result ? `v ${result.verdict}` : '' }, result ? result.verdict : '');
        if (result) {
          cell.addEventListener('click', () => {
            if (line.nextSibling && line.nextSibling.className === `detail ${i}`) line.nextSibling.remove();
            else line.after(element('tr', { className: `detail ${i}` }, element('td', { colSpan: 3 + report.runs.length }, detail(report.runs[i], result))));
          });
        }
        return cell;
      });
      const line = row([one.id, one.title, one.section, ...cells]);
      body.append(line);
    }
    main.replaceChildren(element('thead', {}, row(['case', '', 'section', ...report.runs.map(({ name }) => name)], 'th')), body);
  };
  filter.addEventListener('change', draw);
  search.addEventListener('input', draw);
  document.body.append(
    element('h1', {}, 'WebSocket conformance'),
    element('p', {}, `${report.date}, Node ${report.node}, ${report.platform}. ${report.cases.length} cases. A click on a verdict shows what was seen.`),
    summary, element('form', { onsubmit: () => false }, element('label', {}, 'show ', filter), search), main);
  draw();
}

/** The page. */
function html(report) {
  // The data must not end the script element.
  const data = JSON.stringify(report).replace(/</g, '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>WebSocket conformance</title>
<style>${STYLE}</style>
<body>
<script>
(${show.toString()})(${data});
</script>
</body>
</html>
`;
}

module.exports = { html };

// The viewer on models that lack this and that, made of the recorded ones by taking it away.
const data = JSON.parse($("data").textContent);
const traces = (change) => (one) => { for (const trace of one.traces) change(trace); };
const steps = (change) => traces((trace) => { for (const step of trace.pool) change(step); });
const shown = (...changes) => {
  for (const change of changes) for (const one of data.models) change(one);
  startViewer(data);
  $("list").querySelector("button").click();
  return [pills(), text("picture").length, framed("frame")];
};
told.plain = shown((one) => { one.probes = {}; }, steps((step) => { step[2] = step[3] = null; }));
told.none = shown(traces((trace) => { trace.cells = trace.cells.map(() => [null, null]); }),
  steps((step) => { for (const place of [0, 1, 4, 5, 6]) step[place] = null; }));
for (const one of Object.values(data.examples)) { one.path = []; one.picture = null; }
told.blind = shown();
const thrice = (values) => [...values, ...values, ...values];
told.many = shown(traces((trace) => { trace.runs = trace.runs.map(thrice); trace.cells = thrice(trace.cells); }))[0].length;

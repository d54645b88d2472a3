// Builds the page from /openapi.json. Text is only ever set as text, so nothing in the document can become markup.
const element = (name, text, children = []) => {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
};
const method = (name) => {
  const node = element('span', name.toUpperCase());
  node.className = 'method';
  return node;
};
const schemaText = (schema) => element('pre', JSON.stringify(schema, null, 2));
const row = (...cells) =>
  element(
    'tr',
    '',
    cells.map((cell) => element('td', '', [cell])),
  );

const parametersOf = (route) => {
  if (!route.parameters?.length) return [];
  const rows = route.parameters.map((p) =>
    row(
      element('code', p.name),
      element('span', `${p.in}${p.required ? ', required' : ''}`),
      element('span', p.description ?? ''),
    ),
  );
  return [element('h4', 'Parameters'), element('table', '', rows)];
};
const bodyOf = (route) => {
  const content = route.requestBody?.content?.['application/json'];
  return content ? [element('h4', 'Body'), schemaText(content.schema)] : [];
};
const answersOf = (route) => {
  const rows = Object.entries(route.responses).map(([status, answer]) => {
    const [type, content] = Object.entries(answer.content ?? {})[0] ?? ['', undefined];
    const name = content?.schema?.$ref?.split('/').pop() ?? type;
    return row(element('code', status), element('span', answer.description ?? ''), element('code', name));
  });
  return [element('h4', 'Answers'), element('table', '', rows)];
};
const routeOf = (path, name, route) => {
  const summary = element('summary', '', [
    method(name),
    element('code', path),
    element('span', ` ${route.summary ?? ''}`),
  ]);
  const details = element('details', '', [
    summary,
    element('p', route.description ?? ''),
    ...parametersOf(route),
    ...bodyOf(route),
    ...answersOf(route),
  ]);
  details.dataset.words = `${name} ${path} ${route.summary} ${route.description}`.toLowerCase();
  return { tag: route.tags?.[0] ?? 'Other', details };
};

const api = await (await fetch('/openapi.json')).json();
document.getElementById('title').textContent = `${api.info.title} ${api.info.version}`;
document.getElementById('about').textContent = api.info.description;

const routes = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([name, route]) => routeOf(path, name, route)),
);
for (const [tag, list] of Map.groupBy(routes, (r) => r.tag))
  document.getElementById('routes').append(element('h2', tag), ...list.map((r) => r.details));

for (const [name, schema] of Object.entries(api.components.schemas)) {
  const details = element('details', '', [element('summary', '', [element('code', name)]), schemaText(schema)]);
  document.getElementById('schemas').append(details);
}
for (const code of api.components.schemas.Problem.properties.code.enum) {
  const term = element('dt', '', [element('code', code)]);
  term.id = `problem-${code}`;
  const where = routes.filter((r) => r.details.textContent.includes(`\`${code}\``)).length;
  document.getElementById('problems').append(term, element('dd', where === 0 ? 'any call' : `${where} calls`));
}
document.getElementById('search').addEventListener('input', (event) => {
  const word = event.target.value.toLowerCase();
  for (const { details } of routes) details.hidden = !details.dataset.words.includes(word);
});

import { ServedMethods } from './served-methods.js';

describe('the methods that a path is served under', () => {
  it('are those of all its routes, and none where there is no such path', () => {
    const served = new ServedMethods();
    served.add('/v1/data/:table/:key', ['GET', 'HEAD']);
    served.add('/v1/data/:table/:key', 'PUT');
    served.add('/v1/policies::preview', 'POST');
    served.add('/ui/*', 'GET');
    expect(served.of('/v1/data/items/1?select=id')).toEqual(['GET', 'HEAD', 'PUT']);
    expect(served.of('/v1/policies:preview')).toEqual(['POST']);
    expect(served.of('/v1/policies')).toEqual([]);
    expect(served.of('/v1/data/items')).toEqual([]);
    expect(served.of('/ui/a/b.css')).toEqual(['GET']);
  });
});

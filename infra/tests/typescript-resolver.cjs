/** `./ids.js` in a TypeScript file means ids.ts, as the compiler has it. Packages' own imports are left alone. */
module.exports = (path, options) => {
  if (/^\.{1,2}\/.*\.js$/.test(path) && !options.basedir.includes('/node_modules/')) {
    try {
      return options.defaultResolver(path.replace(/\.js$/, '.ts'), options);
    } catch {
      // A real JavaScript file.
    }
  }
  return options.defaultResolver(path, options);
};

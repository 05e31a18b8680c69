'use strict';

const js = require('@eslint/js');
const globals = require('globals');

/** Rules beyond the recommended ones: those that find mistakes, none about layout. */
const strict = {
  'array-callback-return': 'error',
  'consistent-return': 'error',
  curly: ['error', 'multi-line'],
  'default-case-last': 'error',
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'no-await-in-loop': 'off',
  'no-caller': 'error',
  'no-constructor-return': 'error',
  'no-eval': 'error',
  'no-extend-native': 'error',
  'no-implied-eval': 'error',
  'no-lonely-if': 'error',
  'no-new-func': 'error',
  'no-new-wrappers': 'error',
  'no-octal-escape': 'error',
  'no-return-assign': ['error', 'except-parens'],
  'no-self-compare': 'error',
  'no-sequences': 'error',
  'no-template-curly-in-string': 'error',
  'no-throw-literal': 'error',
  'no-unreachable-loop': 'error',
  'no-unused-expressions': 'error',
  'no-unused-vars': ['error', { args: 'after-used', argsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true }],
  'no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
  'no-useless-call': 'error',
  'no-useless-concat': 'error',
  'no-useless-rename': 'error',
  'no-useless-return': 'error',
  'no-var': 'error',
  'object-shorthand': ['error', 'always', { avoidQuotes: true }],
  'prefer-const': ['error', { destructuring: 'all' }],
  'prefer-object-spread': 'error',
  'prefer-promise-reject-errors': 'error',
  'prefer-rest-params': 'error',
  'prefer-spread': 'error',
  'require-atomic-updates': 'off',
  strict: ['error', 'global'],
  yoda: 'error'
};

module.exports = [
  { ignores: ['node_modules/', 'target/', 'reports/', '**/*.d.ts', '**/*.ts', 'fuzz/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['**/*.js', '**/*.cjs'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { ecmaVersion: 2022, sourceType: 'commonjs', globals: globals.node },
    rules: strict
  },
  {
    files: ['**/*.mjs'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: globals.node },
    rules: { ...strict, strict: 'off' }
  },
  {
    files: ['lib/**/*.js'],
    ignores: ['lib/internal/time/immediate.js', 'lib/pubsub/conformance.js'],
    rules: {
      'no-restricted-globals': ['error', ...['setImmediate', 'clearImmediate'].map((name) => ({
        name, message: 'Take it from internal/time/immediate.js: a test may have put a fake one in its place.'
      }))]
    }
  },
  {
    // Code written the way dependents write it: constructor functions, `arguments`, `apply`, `new String()`.
    files: ['__test__/**/*.js'],
    rules: { 'no-new-wrappers': 'off', 'no-useless-call': 'off', 'prefer-rest-params': 'off', 'prefer-spread': 'off' }
  },
  {
    // What a browser loads, or a part of which goes to one.
    files: ['lib/browser.js', 'conformance/lib/report/html.js', 'examples/**/public/**/*.js', 'examples/**/browser/**/*.js'],
    languageOptions: { globals: { ...globals.browser, ...globals.commonjs } }
  },
  {
    files: ['examples/**/public/**/*.js', 'examples/**/browser/**/*.js'],
    languageOptions: { sourceType: 'script' },
    rules: { strict: 'off' }
  }
];

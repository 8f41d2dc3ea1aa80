/// <reference types="vite/client" />

/** The version of the pages, as package.json gives it. */
declare const __APP_VERSION__: string;

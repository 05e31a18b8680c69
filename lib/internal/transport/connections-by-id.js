'use strict';

/** The part of an id that is the connection's place; the rest tells apart those that had the place in turn. */
const PLACE_MASK = (1 << 22) - 1;

/** Connections that the addon moves the bytes of, and those that wait for accept(), by their place. */
const connections = [];

module.exports = { PLACE_MASK, connections };

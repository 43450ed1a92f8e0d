/**
 * Who may ask for what (threats.md). A node on localhost is within reach of every web page that its user opens, so
 * what changes something asks where the request comes from, and every request must name this node as its host.
 */
import { timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { RuleError } from '@bc/core'
import type { FastifyRequest } from 'fastify'

/** What a route's `config` says of it. */
export interface RouteAccess {
  /** It changes something: refused to web pages of others. */
  readonly changes?: boolean
  /** It is the operator's: refused to strangers. */
  readonly operator?: boolean
}

export interface GuardOptions {
  /** Names beside localhost and IP addresses. */
  readonly allowedHosts: readonly string[]
  readonly operatorToken: string
}

/** @throws RuleError `request.host`, `request.origin`, `request.operator` */
export function guard(request: FastifyRequest, access: RouteAccess, options: GuardOptions): void {
  checkHost(request, options.allowedHosts)
  if (access.changes || access.operator) checkOrigin(request)
  if (access.operator) checkOperator(request, options.operatorToken)
}

/**
 * A page that rebinds its own name to 127.0.0.1 still sends that name (DNS rebinding). An address can't be rebound,
 * so any is fine.
 */
function checkHost({ headers }: FastifyRequest, allowedHosts: readonly string[]): void {
  const name = hostName(headers.host ?? '')
  if (name === 'localhost' || isIP(name) !== 0 || allowedHosts.includes(name)) return
  throw new RuleError('request.host', `This node does not answer for the host "${name}".`)
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host)
  return (bracketed?.[1] ?? host.replace(/:\d*$/, '')).toLowerCase()
}

/**
 * Browsers say where a request comes from: by Origin where it isn't a plain GET, by Sec-Fetch-Site on every one, by
 * Referer of old. A page on another port of localhost is "same-site", and a stranger all the same.
 */
function checkOrigin({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site']
  const foreign =
    (headers.origin !== undefined && !isOwn(headers.origin, headers.host)) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none') ||
    (headers.referer !== undefined && !isOwn(headers.referer, headers.host))
  if (foreign) throw new RuleError('request.origin', 'A web page of another origin may not do this.')
}

function isOwn(url: string, host: string | undefined): boolean {
  return URL.canParse(url) && new URL(url).host === host
}

/** A reverse proxy on this machine speaks for people who aren't on it, and says so. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const

function checkOperator({ headers, socket }: FastifyRequest, token: string): void {
  const forwarded = FORWARDED.some((header) => headers[header] !== undefined)
  if (!forwarded && isLoopback(socket.remoteAddress)) return
  const bearer = /^Bearer ([0-9a-f]{64})$/.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined && timingSafeEqual(Buffer.from(bearer), Buffer.from(token))) return
  throw new RuleError(
    'request.operator',
    "Only the operator may do this: from this machine, or with the token in the data directory's operator-token.",
  )
}

export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address)
}

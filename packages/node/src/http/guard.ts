/**
 * Who may ask for what (threats.md). A node on localhost is within reach of every web page that its user opens, so
 * what changes something asks where the request comes from, and every request must name this node as its host.
 */
import { timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { RuleError } from '@bc/core'
import type { FastifyRequest } from 'fastify'
import { isLoopback } from '../network/hosts.ts'

/** What a route's `config` says of it. */
export interface RouteAccess {
  /** It changes something: refused to web pages of others. */
  readonly changes?: boolean
  /** Its answer has no end, and there are so many places: refused to web pages of others, who could take them all. */
  readonly stays?: boolean
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
  if (access.changes || access.stays || access.operator) checkOrigin(request)
  if (access.operator) checkOperator(request, options.operatorToken)
}

/**
 * A page that rebinds its own name to 127.0.0.1 still sends that name (DNS rebinding). An address can't be rebound,
 * so any is fine. Of several Hosts a proxy may have looked at another one than we would (RFC 9112, 3.2).
 */
function checkHost({ headers, raw }: FastifyRequest, allowedHosts: readonly string[]): void {
  const name = hostName(headers.host)
  const several = raw.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length > 1
  if (!several && (name === 'localhost' || isIP(name) !== 0 || allowedHosts.includes(name))) return
  throw new RuleError('request.host', `This node does not answer for the host "${name}".`)
}

/** Without port and case; an IPv6 address also without its brackets, in which nothing else may stand. */
function hostName(host = ''): string {
  const name = host.replace(/:\d*$/, '').toLowerCase()
  const bracketed = /^\[(.*)\]$/.exec(name)?.[1]
  return bracketed !== undefined && isIP(bracketed) === 6 ? bracketed : name
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

/**
 * The names under which browsers know this machine. To any other that leads here (0.0.0.0, one of its own) they send
 * no Sec-Fetch-Site, and a page's image of http://0.0.0.0:5000/mine looks like curl.
 */
const HERE = /^(?:localhost|127\.[\d.]+|::1)$/

function checkOperator({ headers, socket }: FastifyRequest, token: string): void {
  const forwarded = FORWARDED.some((header) => headers[header] !== undefined)
  if (!forwarded && isLoopback(socket.remoteAddress) && HERE.test(hostName(headers.host))) return
  const bearer = /^bearer ([0-9a-f]{64})$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined && timingSafeEqual(Buffer.from(bearer), Buffer.from(token))) return
  throw new RuleError(
    'request.operator',
    "Only the operator may do this: on this machine as localhost, or with the token in the data directory's operator-token.",
  )
}

/** Whether a server that listens on this host is out of others' reach. A name that starts like an address may lead anywhere. */
export function isThisMachine(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && isLoopback(host))
}

/** One message of a stream of server-sent events (HTML Standard §9.2.6). */
export interface ServerEvent { event: string, data: string, id: string }

/** Puts messages together from pieces that are cut anywhere; comments and unknown fields are passed over. */
export class EventParser {
  private rest = ''
  private event = ''
  private id = ''
  private data: string[] = []

  feed(piece: string): ServerEvent[] {
    const lines = (this.rest + piece).split(/\r\n|\n|\r(?!$)/)
    this.rest = lines.pop() ?? ''
    const found: ServerEvent[] = []
    for (const line of lines) {
      if (line === '') {
        if (this.data.length > 0) found.push({ event: this.event || 'message', data: this.data.join('\n'), id: this.id })
        this.event = ''
        this.data = []
        continue
      }
      const colon = line.indexOf(':')
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'data') this.data.push(value)
      else if (field === 'event') this.event = value
      else if (field === 'id') this.id = value
    }
    return found
  }
}

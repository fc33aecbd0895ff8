import type { Catalogue } from '~/utils/text'

const texts: Catalogue = {
  'Home': 'Start', 'Customers': 'Kunden', 'Customer': 'Kunde', 'Sell': 'Verkaufen', 'Orders': 'Aufträge', 'Order': 'Auftrag', 'Catalog': 'Katalog',
  'Usage': 'Nutzung', 'Billing': 'Abrechnung', 'Bills': 'Rechnungen', 'Bill': 'Rechnung', 'Bill runs': 'Rechnungsläufe',
  'Payments': 'Zahlungen', 'Payment': 'Zahlung', 'Ledger': 'Hauptbuch', 'Events': 'Ereignisse', 'Rejects': 'Abgelehnte', 'Files': 'Dateien',
  'Search everything': 'Alles durchsuchen', 'Keyboard shortcuts': 'Tastenkürzel', 'Sign out': 'Abmelden', 'Language': 'Sprache',
  'Skip to content': 'Zum Inhalt', 'Menu': 'Menü', 'Dark mode': 'Dunkle Ansicht', 'Name': 'Name', 'State': 'Zustand', 'Amount': 'Betrag', 'Date': 'Datum',
  'Columns': 'Spalten', 'Export CSV': 'CSV-Export', 'Previous page': 'Vorige Seite', 'Next page': 'Nächste Seite',
  'Page {page} of {pages}': 'Seite {page} von {pages}', 'Rows per page': 'Zeilen je Seite', 'Clear filters': 'Filter löschen',
  'Nothing matches these filters': 'Nichts passt zu diesen Filtern', 'Try again': 'Erneut versuchen', 'Loading': 'Lädt',
  'Cancel': 'Abbrechen', 'Live': 'Live', 'Paused': 'Angehalten', 'Stale': 'Veraltet', 'Copy': 'Kopieren', 'Copied': 'Kopiert', 'all': 'alle',
  '{n} rows': { one: '{n} Zeile', other: '{n} Zeilen' },
}
export default texts

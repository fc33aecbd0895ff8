/** A tariff as the catalog carries it (`bss-domain`, catalog::tariff): what use costs, by service, direction and zone. */
export interface TariffStep { from?: number | string, unit?: string, increment?: number | string, price?: number | string }
export interface TariffTier { upTo?: number | string, steps?: TariffStep[] }
export interface TariffBand {
  name?: string, days?: string[], from?: string, to?: string, split?: boolean, connectionFee?: number | string
  steps?: TariffStep[], graduated?: TariffTier[], volume?: TariffTier[], package?: { size?: number | string, price?: number | string }
}
export interface TariffRate extends TariffBand { service?: string, direction?: string, zone?: string, counter?: string, bands?: TariffBand[] }
export interface Tariff { zones?: { name?: string, prefixes?: string[], networks?: string[] }[], holidays?: string[], rates?: TariffRate[] }

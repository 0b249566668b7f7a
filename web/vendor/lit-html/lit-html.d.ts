/** What the page uses of lit-html, for `tsc`. The code beside it is the npm package's file, unchanged. */
export interface TemplateResult {
  readonly strings: TemplateStringsArray;
}
export declare const nothing: unique symbol;
export declare function html(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult;
export declare function svg(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult;
export declare function render(value: unknown, container: HTMLElement | SVGElement): unknown;

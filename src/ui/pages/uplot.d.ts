// The browser gets the package's file under this name (assets.ts).
import uPlot from 'uplot';
export default uPlot;

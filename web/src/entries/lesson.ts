import 'katex/dist/katex.min.css';
import '../styles/base.css';
import '../styles/shell.css';
import '../styles/math.css';
import '../styles/lesson.css';
import '../styles/code.css';
import '../styles/findings.css';
import '../figures/figures.css';
import '../styles/print.css';
import '../practice/list.css';
import { mountCells } from '../cells';
import { mountFigures } from '../figures';
import { showStates } from '../practice/states';
import { mountProgress } from '../progress';
import { mountReading } from '../reading';
import { askServer } from '../reading/served';
import { keepToken } from '../runtime/token';
import { mountSearch } from '../search';
import { mountSettings } from '../settings';

keepToken(); // before anything looks at the address
mountSettings(document);
mountReading(document);
mountFigures(document);
mountCells(document);
mountSearch(document);
mountProgress(document);
showStates(document);
void askServer(document);

import 'katex/dist/katex.min.css';
import '../styles/base.css';
import '../styles/shell.css';
import '../styles/math.css';
import '../styles/lesson.css';
import '../styles/code.css';
import '../styles/findings.css';
import '../styles/print.css';
import '../practice/list.css';
import { mountCells } from '../cells';
import { showStates } from '../practice/states';
import { mountProgress } from '../progress';
import { mountReading } from '../reading';
import { askServer } from '../reading/served';
import { keepToken } from '../runtime/token';
import { mountSearch } from '../search';
import { mountSettings } from '../settings';
import { mountWay } from '../way';

keepToken(); // before anything looks at the address
mountSettings(document);
mountReading(document);
mountCells(document);
mountSearch(document);
mountProgress(document);
showStates(document);
mountWay(document);
void askServer(document);

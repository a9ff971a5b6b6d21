import 'katex/dist/katex.min.css';
import '../styles/base.css';
import '../styles/shell.css';
import '../styles/math.css';
import '../styles/lesson.css';
import '../styles/code.css';
import '../styles/print.css';
import '../cells/cells.css';
import '../cells/editor.css';
import { mountPractice } from '../practice';
import { follow } from '../progress/store';
import { watchScrollers } from '../reading/scrollers';
import { askServer } from '../reading/served';
import { openFolds } from '../reading/targets';
import { keepToken } from '../runtime/token';
import { mountSearch } from '../search';
import { mountSettings } from '../settings';
import { mountWay } from '../way';

keepToken(); // before anything looks at the address
mountSettings(document);
mountSearch(document);
mountPractice(document);
follow();
watchScrollers(document);
openFolds(document);
mountWay(document);
void askServer(document);

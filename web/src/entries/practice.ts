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
import { watchScrollers } from '../reading/scrollers';
import { askServer } from '../reading/served';
import { keepToken } from '../runtime/token';
import { mountSearch } from '../search';
import { mountSettings } from '../settings';

keepToken(); // before anything looks at the address
mountSettings(document);
mountSearch(document);
mountPractice(document);
watchScrollers(document);
void askServer(document);
